import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createWatchedFile } from '../src/watched-file.ts';

function start(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'watched-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'file');
  const failures: unknown[] = [];
  let parsed = 0;
  const read = createWatchedFile({
    path,
    parse: (content) => {
      parsed += 1;
      if (content === 'broken') throw new Error('broken');
      return content;
    },
    onFailure: (error) => failures.push(error),
  });
  return { directory, path, read, failures, parsed: () => parsed };
}

test('read once, and again only when it changed', async (t) => {
  const { path, read, parsed } = start(t);
  writeFileSync(path, 'one');
  assert.equal(await read(), 'one');
  assert.equal(await read(), 'one');
  assert.equal(parsed(), 1);
  writeFileSync(path, 'another');
  assert.equal(await read(), 'another');
  assert.equal(parsed(), 2);
});

test('a file of the same size and time that took its place is noticed', async (t) => {
  const { directory, path, read } = start(t);
  const other = join(directory, 'other');
  writeFileSync(path, 'one');
  writeFileSync(other, 'two');
  for (const name of [path, other]) utimesSync(name, 1, 1);
  assert.equal(await read(), 'one');
  renameSync(other, path);
  assert.equal(await read(), 'two');
  // Only the time of change is left to tell, and the clock of a file system may tick every 4 ms.
  const { ctimeMs } = statSync(path);
  do {
    writeFileSync(path, 'six');
    utimesSync(path, 1, 1);
  } while (statSync(path).ctimeMs === ctimeMs);
  assert.equal(await read(), 'six');
});

test('a symlink swapped, as Kubernetes does with a mounted secret, is followed', async (t) => {
  const { directory, path, read } = start(t);
  for (const name of ['v1', 'v2']) writeFileSync(join(directory, name), name);
  symlinkSync(join(directory, 'v1'), path);
  assert.equal(await read(), 'v1');
  symlinkSync(join(directory, 'v2'), join(directory, 'new'));
  renameSync(join(directory, 'new'), path);
  assert.equal(await read(), 'v2');
});

test('what cannot be used leaves the last good value, and is told once', async (t) => {
  const { path, read, failures } = start(t);
  writeFileSync(path, 'good');
  await read();
  writeFileSync(path, 'broken');
  for (let time = 0; time < 3; time += 1) assert.equal(await read(), 'good');
  assert.equal(failures.length, 1);
  rmSync(path);
  assert.equal(await read(), 'good');
  assert.equal(failures.length, 2);
  writeFileSync(path, 'good again');
  assert.equal(await read(), 'good again');
  writeFileSync(path, 'broken');
  assert.equal(await read(), 'good again');
  assert.equal(failures.length, 3);
});

test('without any good value it rejects, and recovers', async (t) => {
  const { path, read, failures } = start(t);
  await assert.rejects(read(), { code: 'ENOENT' });
  writeFileSync(path, 'broken');
  await assert.rejects(read(), { message: 'broken' });
  writeFileSync(path, 'good');
  assert.equal(await read(), 'good');
  assert.equal(failures.length, 0);
});

test('many at once look once', async (t) => {
  const { path, read, parsed } = start(t);
  writeFileSync(path, 'one');
  const values = await Promise.all(Array.from({ length: 100 }, read));
  assert.deepEqual(new Set(values), new Set(['one']));
  assert.equal(parsed(), 1);
});
