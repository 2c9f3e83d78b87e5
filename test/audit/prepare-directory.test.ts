import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test, type TestContext } from 'node:test';
import { prepareDirectory } from '../../src/audit/prepare-directory.ts';

function createPlace(t: TestContext): string {
  const place = mkdtempSync(join(tmpdir(), 'prepare-'));
  t.after(() => rmSync(place, { recursive: true }));
  return place;
}

test('every missing level is made, for its owner alone; what is there stays', (t) => {
  const place = createPlace(t);
  const levels = [join(place, 'a'), join(place, 'a/b'), join(place, 'a/b/c')];
  for (const _ of ['made', 'found'] as const) {
    prepareDirectory(`${place}/a/b/c/`);
    for (const level of levels) assert.equal(statSync(level).mode & 0o777, 0o700, level);
  }
  prepareDirectory(relative(process.cwd(), join(place, 'd/e')));
  symlinkSync(join(place, 'd'), join(place, 'link'));
  prepareDirectory(join(place, 'link'));
  prepareDirectory(join(place, 'link/f'));
  assert.ok(statSync(join(place, 'd/f')).isDirectory());
  prepareDirectory('/');
});

test('what cannot be made or used is the error of the system, at once', (t) => {
  const place = createPlace(t);
  writeFileSync(join(place, 'file'), '');
  symlinkSync(join(place, 'nowhere/x'), join(place, 'dangling'));
  for (const [path, code] of [
    [join(place, 'file'), 'EEXIST'],
    [join(place, 'file/a/b'), 'ENOTDIR'],
    [join(place, 'dangling'), 'EEXIST'],
    ['/proc/x', 'ENOENT'],
    ['/proc/x/y', 'ENOENT'],
    [join(place, 'x'.repeat(300)), 'ENAMETOOLONG'],
  ] as const) {
    assert.throws(() => prepareDirectory(path), { code }, path);
  }
});
