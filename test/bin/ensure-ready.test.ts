import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const temporary: string[] = [];
after(() => temporary.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

const LOCK = {
  '': {},
  'node_modules/needed': { version: '1.0.0' },
  'node_modules/tool': { version: '2.0.0', dev: true },
  'node_modules/other-platform': { version: '3.0.0', optional: true },
};
const PRODUCTION = { 'node_modules/needed': { version: '1.0.0' } };
const ALL = { ...PRODUCTION, 'node_modules/tool': { version: '2.0.0' } };

/** A stand-in for npm: notes how it was called, and installs or fails as it was told. */
const NPM = `
const fs = require('node:fs');
fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
if (fs.existsSync('no-network')) {
  console.error('npm error code ENOTFOUND\\nnpm error a long story about a canary');
  process.exit(1);
}
`;
const COMPILER = `
const fs = require('node:fs');
if (fs.existsSync('broken-source')) { console.log('src/main.ts(1,1): error'); process.exit(2); }
fs.mkdirSync('dist'); fs.writeFileSync('dist/main.js', '');
`;

type Files = Readonly<Record<string, string>>;

/** A clone of this repository as far as bin/ is concerned. */
function createClone(installed: object | undefined, files: Files = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'clone-'));
  temporary.push(directory);
  cpSync(join(root, 'bin'), join(directory, 'bin'), { recursive: true });
  const all: Files = {
    'package.json': readFileSync(join(root, 'package.json'), 'utf8'),
    'package-lock.json': JSON.stringify({ packages: LOCK }),
    'npm.cjs': NPM,
    ...(installed && { 'node_modules/.package-lock.json': JSON.stringify({ packages: installed }) }),
    'node_modules/typescript/bin/tsc': COMPILER,
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

type Run = Readonly<{ status: number | null; output: string; npmCalls: string }>;

function ensureReady(
  directory: string,
  options: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): Run {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...nodeOptions, join(directory, 'bin/ensure-ready.cjs'), ...options],
    { cwd: directory, encoding: 'utf8', env: { ...process.env, npm_execpath: join(directory, 'npm.cjs') } },
  );
  const calls = join(directory, 'npm-calls');
  return { status, output: stdout + stderr, npmCalls: existsSync(calls) ? readFileSync(calls, 'utf8') : '' };
}

describe('bin/ensure-ready.cjs', () => {
  test('is silent and quick when everything is there', () => {
    assert.deepEqual(ensureReady(createClone(ALL)), { status: 0, output: '', npmCalls: '' });
  });

  test('installs the locked dependencies when they are absent, incomplete or others', () => {
    for (const installed of [
      undefined,
      PRODUCTION,
      { ...ALL, 'node_modules/needed': { version: '0.9.0' } },
    ]) {
      const { status, output, npmCalls } = ensureReady(createClone(installed));
      assert.equal(status, 0);
      assert.equal(npmCalls, 'ci --no-progress --include=dev\n');
      assert.match(output, /^Installing .*\n$/);
    }
  });

  test('says nothing with --quiet', () => {
    assert.equal(ensureReady(createClone(undefined), ['--quiet']).output, '');
  });

  test('without a network it says what to do in one sentence', () => {
    const { status, output } = ensureReady(createClone(undefined, { 'no-network': '' }), ['--quiet']);
    assert.equal(status, 1);
    assert.match(
      output,
      /^The dependencies could not be installed \(ENOTFOUND\)\. Check the network [^\n]*\n$/,
    );
  });

  test('an old Node is told so', () => {
    for (const [version, isEnough] of [
      ['v20.18.3', false],
      ['v18.20.0', false],
      ['v20.19.0', true],
      ['v24.0.0', true],
    ] as const) {
      const old = `Object.defineProperty(process, 'version', { value: '${version}' });`;
      const directory = createClone(ALL, { 'old.cjs': old });
      const { status, output } = ensureReady(directory, [], ['--require', join(directory, 'old.cjs')]);
      assert.equal(output, isEnough ? '' : `Node.js 20.19 or newer is needed, this is ${version}.\n`);
      assert.equal(status, isEnough ? 0 : 1);
    }
  });

  test('--built compiles when dist is absent, and only then', () => {
    const directory = createClone(ALL);
    assert.equal(ensureReady(directory, ['--built']).status, 0);
    assert.ok(existsSync(join(directory, 'dist/main.js')));
    assert.equal(ensureReady(directory, ['--built']).output, '');
  });

  test('--built is content with production dependencies once dist is there', () => {
    const directory = createClone(PRODUCTION, { 'dist/main.js': '' });
    assert.deepEqual(ensureReady(directory, ['--built']), { status: 0, output: '', npmCalls: '' });
  });

  test('--built leaves no dist behind when the sources do not compile', () => {
    const directory = createClone(ALL, { 'broken-source': '' });
    const { status, output } = ensureReady(directory, ['--built', '--quiet']);
    assert.equal(status, 1);
    assert.match(output, /^src\/main\.ts\(1,1\): error\nThe sources do not compile\.[^\n]*\n$/);
    assert.ok(!existsSync(join(directory, 'dist')));
  });
});

describe('npm start', () => {
  const start = (main: string) =>
    spawn('npm', ['start'], {
      cwd: createClone(PRODUCTION, { 'dist/main.js': main }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  test('ends with the exit status of the service', async () => {
    const child = start('process.exitCode = 78;');
    child.stdout.resume();
    assert.deepEqual(await once(child, 'close'), [78, null]);
  });

  test('hands SIGTERM to the service and waits for it', async () => {
    const child = start(`
      const alive = setTimeout(() => process.exit(1), 60_000);
      process.once('SIGTERM', () => { console.log('drained'); clearTimeout(alive); });
      console.log('serving');
    `);
    let output = '';
    for await (const chunk of child.stdout) {
      if (String(chunk).includes('serving')) child.kill('SIGTERM');
      output += String(chunk);
    }
    assert.match(output, /serving\ndrained\n$/);
  });
});

describe('bin/clean.cjs', () => {
  test('removes a directory, there or not', () => {
    const directory = createClone(ALL, { 'dist/a/b.js': '' });
    for (let turn = 0; turn < 2; turn++) {
      assert.equal(spawnSync(process.execPath, [join(directory, 'bin/clean.cjs'), 'dist']).status, 0);
      assert.ok(!existsSync(join(directory, 'dist')));
    }
  });
});
