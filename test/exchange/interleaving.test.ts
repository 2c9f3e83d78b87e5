import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const IS_LONG = process.env['TEST_LONG'] === '1';
const fileUrl = (path: string): string => new URL(path, import.meta.url).href;

type Run = Readonly<{ users: number; requests: number; mutant?: string }>;

/** Runs interleaving.ts in a process of its own; gives what it wrote, and whether all was well. */
async function interleave({ users, requests, mutant }: Run): Promise<{ passed: boolean; output: string }> {
  const preload = [
    '--import',
    'tsx',
    ...(mutant === undefined ? [] : ['--import', fileUrl('./support/mutate-key.ts')]),
  ];
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  try {
    const { stdout } = await run(
      process.execPath,
      [...preload, new URL('./interleaving.ts', import.meta.url).pathname],
      {
        env: {
          ...environment,
          USERS: String(users),
          REQUESTS: String(requests),
          ...(mutant !== undefined && { MUTANT: mutant }),
        },
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    return { passed: true, output: stdout };
  } catch (error) {
    const { stdout, stderr } = Object(error);
    return { passed: false, output: `${stdout}${stderr}` };
  }
}

describe('many users at once', { concurrency: true }, () => {
  test('security: the user at Graph is the user of the token and of the record, every time', async () => {
    const { passed, output } = await interleave({ users: 200, requests: IS_LONG ? 100_000 : 2000 });
    assert.ok(passed, output.slice(0, 4000));
  });

  for (const [mutant, complaint] of [
    ['prefix', /another user acted at Graph/],
    ['tenant', /another user acted at Graph/],
    ['user', /two tokens shared one exchange/],
  ] as const) {
    test(`and this can fail: with the cache key cut to the ${mutant} it does`, async () => {
      const { passed, output } = await interleave({ users: 20, requests: 200, mutant });
      assert.ok(!passed);
      assert.match(output, complaint);
    });
  }
});
