import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { appendFile, open as openHandle, readFile, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { journalFiles } from '../../src/audit/journal-files.ts';
import { createFaultyFiles } from './support/faulty-files.ts';
import { createDirectory, open, toIntent } from './support/journal.ts';

/** Calls of one method of all file handles; each waits until the test lets it go on. */
async function hold(
  t: TestContext,
  method: 'datasync' | 'sync' | 'write',
): Promise<{ calls: () => number; release: () => void }> {
  const handle = await openHandle(import.meta.filename);
  await handle.close();
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  let release = (): void => undefined;
  const held = new Promise((resolve) => (release = () => resolve({ bytesWritten: 2 })));
  const { mock } = t.mock.method(prototype, method, () => held);
  return { calls: mock.callCount.bind(mock), release };
}

/** Whether a promise is settled once all that needs no disk and no time is done. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise(setImmediate);
  return settled;
}

test('mutant "writes through a stream" in the file layer: once write resolves, the bytes are in the file', async (t) => {
  const path = join(await createDirectory(t), 'file');
  const file = await journalFiles.open(path, 'append');
  t.after(file.close);
  for (const [count, text] of ['one', 'two', 'three'].entries()) {
    assert.equal(await file.write(Buffer.from(text)), text.length);
    assert.equal(readFileSync(path, 'utf8'), ['one', 'onetwo', 'onetwothree'][count]);
  }
  const { calls, release } = await hold(t, 'write');
  const written = file.write(Buffer.from('four'));
  assert.equal(calls(), 1);
  assert.equal(await isSettled(written), false);
  release();
  assert.equal(await written, 2, 'it tells how many bytes were taken, however few');
});

test('mutant "answers before the sync" in the file layer: sync is one fdatasync, and waits for its end', async (t) => {
  const file = await journalFiles.open(join(await createDirectory(t), 'file'), 'append');
  t.after(file.close);
  const { calls, release } = await hold(t, 'datasync');
  const synced = file.sync();
  assert.equal(calls(), 1);
  assert.equal(await isSettled(synced), false);
  release();
  await synced;
});

test('the names of a directory are made durable by one fsync, which is waited for', async (t) => {
  const directory = await createDirectory(t);
  const { calls, release } = await hold(t, 'sync');
  const synced = journalFiles.syncDirectory(directory);
  while (calls() === 0) await new Promise(setImmediate);
  assert.equal(await isSettled(synced), false);
  release();
  await synced;
  assert.equal(calls(), 1);
});

test('append goes to the end whoever wrote before, and update goes where it is told, into no new file', async (t) => {
  const path = join(await createDirectory(t), 'file');
  const file = await journalFiles.open(path, 'append');
  t.after(file.close);
  await file.write(Buffer.from('one'));
  await appendFile(path, 'two');
  await file.write(Buffer.from('three'));
  const update = await journalFiles.open(path, 'update');
  t.after(update.close);
  await update.write(Buffer.from('ONE'), 0);
  await update.truncate(6);
  assert.equal(await readFile(path, 'utf8'), 'ONEtwo');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await rm(path);
  await assert.rejects(journalFiles.open(path, 'update'), { code: 'ENOENT' });
});

test('mutant "continues what was never synced": a start syncs the end that it finds before it writes', async (t) => {
  const directory = await createDirectory(t);
  await (await open(t, directory)).close();
  const files = createFaultyFiles();
  const journal = await open(t, directory, { files });
  assert.deepEqual(files.calls.slice(0, 3), ['open update', 'sync', 'close']);
  assert.equal(files.calls.indexOf('write') > files.calls.indexOf('sync'), true);
  await journal.append(toIntent());
});

test('a disk that cannot sync the end of the journal stops the start: nothing is written behind it', async (t) => {
  const directory = await createDirectory(t);
  await (await open(t, directory)).close();
  const path = join(directory, 'audit-000001.jsonl');
  const before = await readFile(path, 'utf8');
  const files = createFaultyFiles();
  files.set('sync', 'EIO');
  await assert.rejects(open(t, directory, { files }), { code: 'EIO' });
  assert.equal(await readFile(path, 'utf8'), before);
});
