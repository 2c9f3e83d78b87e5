import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** Makes keys and exports them while the garbage collector has the jobs of the ones before to clear away. */
const EXPORT_MANY = `
  import { generateKeyPairSync } from 'node:crypto';
  import { withoutJob } from ${JSON.stringify(new URL('../../sandbox/key-pair.ts', import.meta.url).href)};
  for (let pair = 0; pair < 60; pair += 1) {
    const { publicKey } = withoutJob(generateKeyPairSync('rsa', { modulusLength: 1024 }));
    for (let count = 0; count < 300; count += 1) publicKey.export({ format: 'jwk' });
  }
`;

test('keys of the sandbox can be exported as JWK at any time; Node 20 may wait for ever for those just generated', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      '--max-semi-space-size=1',
      '--import',
      import.meta.resolve('tsx'),
      '--input-type=module',
      '--eval',
      EXPORT_MANY,
    ],
    { encoding: 'utf8', timeout: 180_000, killSignal: 'SIGKILL' },
  );
  assert.equal(status, 0, stderr);
});
