import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const directory = mkdtempSync(join(tmpdir(), 'runner-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const TESTS = {
  'passing.test.ts': `import test from 'node:test'; test('good', () => {});`,
  'folder/failing.test.ts': `import test from 'node:test'; test('bad', () => { throw new Error('no'); });`,
  'throwing.test.ts': `throw new Error('while loading');`,
  'skipped.test.ts': `import test from 'node:test'; test('left out', { skip: process.env.TEST_LONG !== '1' }, () => {});`,
  'network.test.ts': `import test from 'node:test'; import net from 'node:net';
    test('online', () => { net.connect(443, '192.0.2.1'); });`,
  'assert.test.ts': `import test from 'node:test'; import assert, { ok } from 'node:assert/strict';
    test('named', () => { ok(0); }); test('member', () => { assert.ok(''); });`,
  'not-a-test.ts': `throw new Error('never loaded');`,
};

mkdirSync(join(directory, 'test/folder'), { recursive: true });
writeFileSync(join(directory, 'package.json'), '{"type": "module"}');
cpSync(join(import.meta.dirname, 'run.ts'), join(directory, 'test/run.ts'));
for (const preload of ['support/only-loopback.ts', 'support/prompt-assert.ts']) {
  cpSync(join(import.meta.dirname, preload), join(directory, 'test', preload));
}
for (const [name, source] of Object.entries(TESTS)) writeFileSync(join(directory, 'test', name), source);

type Run = Readonly<{ status: number | null; output: string }>;

function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Run {
  const { NODE_TEST_CONTEXT: _, FORBID_SKIPS: __, TEST_LONG: ___, ...inherited } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), join(directory, 'test/run.ts'), ...args],
    { cwd: directory, encoding: 'utf8', env: { ...inherited, ...environment } },
  );
  return { status, output: stdout + stderr };
}

test('passes what passes, and ends with the summary', () => {
  const { status, output } = run(['passing']);
  assert.equal(status, 0, output);
  assert.match(output, /ℹ tests 1\n(?:ℹ [a-z_]+ [\d.]+\n)+$/);
});

test('fails for a failing test, for a file that throws, and for no file at all', () => {
  for (const part of ['folder/', 'throwing', 'no-such-file']) assert.equal(run([part]).status, 1, part);
});

test('runs every file when none is named', () => {
  const { status, output } = run([]);
  assert.equal(status, 1);
  assert.match(output, /ℹ tests 7\n/);
});

test('fails for a skipped test where that is forbidden, and --long skips nothing', () => {
  assert.equal(run(['skipped']).status, 0);
  const { status, output } = run(['skipped'], { FORBID_SKIPS: '1' });
  assert.equal(status, 1);
  assert.match(output, /these were skipped: left out/);
  assert.equal(run(['--long', 'skipped'], { FORBID_SKIPS: '1' }).status, 0);
});

test('a test that leaves the machine fails', () => {
  const { status, output } = run(['network']);
  assert.equal(status, 1);
  assert.match(output, /a test may reach nothing but loopback/);
});

test('a failing assertion without a message is described at once', () => {
  const { status, output } = run(['assert']);
  assert.equal(status, 1);
  assert.match(output, /ℹ fail 2\n/);
  assert.match(output, /the value is falsy/);
});
