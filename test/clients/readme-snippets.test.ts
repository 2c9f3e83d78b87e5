import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { isPng } from '../../src/enrollment/png.ts';
import { startService } from '../support/service.ts';
import { countSnippets, readSnippet, SNIPPETS } from './support/readme-snippets.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const SHOWN = 'https://tokens.example';
const SHOWN_ID = 'd0d0d0d0-0000-4000-8000-00000000d0a1';

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version']);
    return true;
  } catch {
    return false;
  }
}
const skip = hasCurl() ? false : 'curl is not installed (Debian: apt-get install curl)';

async function createDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'snippet-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Not every machine has the command that the README takes for granted; where there is one, it goes first. */
async function addUuidgen(t: TestContext): Promise<string> {
  const directory = await createDirectory(t);
  const command = join(directory, 'uuidgen');
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' -p 'crypto.randomUUID()'\n`);
  await chmod(command, 0o755);
  return `${process.env['PATH']}${delimiter}${directory}`;
}

describe('what the README shows, run as it stands', () => {
  test('each of its snippets is run by a test', () => {
    assert.equal(countSnippets(), SNIPPETS.length);
  });

  test('curl: creates and gets the token, and keeps its QR code', { skip }, async (t) => {
    const service = await startService(t);
    const { authorization } = await service.bearer();
    const script = readSnippet('curl', {
      [SHOWN]: service.url,
      [SHOWN_ID]: service.graph.profiles.deviceOwner,
    });
    const cwd = await createDirectory(t);
    const env = { PATH: await addUuidgen(t), TOKEN: authorization.replace('Bearer ', '') };
    const { stdout } = await run('sh', ['-ec', script], { cwd, env });
    assert.match(stdout, /^HTTP\/1\.1 200 /);
    assert.match(stdout, /^Preference-Applied: return=representation\r$/m);
    const [created] = service.graph.journal.commits;
    assert.ok(stdout.includes(`"tokenValue":"${created?.tokenValue}"`), stdout);
    assert.deepEqual(await readdir(cwd), ['Scanners-qr-code.png']);
    assert.ok(isPng(await readFile(join(cwd, 'Scanners-qr-code.png'))));
    const [intent] = await service.audited('intent');
    assert.equal(typeof intent?.['idempotencyKeyHash'], 'string');
  });

  test('the Microsoft Graph JavaScript SDK: creates and gets the token', async (t) => {
    const service = await startService(t, { tls: true });
    const snippet = readSnippet('Microsoft Graph JavaScript SDK', {
      [SHOWN]: service.url,
      'tokens.example': new URL(service.url).hostname,
    });
    const { authorization } = await service.bearer();
    const cwd = await createDirectory(t);
    await symlink(join(root, 'node_modules'), join(cwd, 'node_modules'));
    await writeFile(join(cwd, 'ca.pem'), service.ca);
    await writeFile(
      join(cwd, 'snippet.mjs'),
      `const { ID: id, TOKEN } = process.env;
      const getAccessToken = async () => TOKEN;
      ${snippet}
      console.log(token.tokenValue);`,
    );
    const env = {
      ID: service.graph.profiles.deviceOwner,
      TOKEN: authorization.replace('Bearer ', ''),
      NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem'),
    };
    const { stdout } = await run(process.execPath, ['snippet.mjs'], { cwd, env });
    assert.equal(stdout, `${service.graph.journal.commits[0]?.tokenValue}\n`);
  });
});
