import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { verifyJournal } from '../../src/audit/verify.ts';
import { createDirectory, open, readRecords, toIntent, toOutcome, until } from './support/journal.ts';

/** A real file system of 64 KB, or `undefined` where this process may not mount one. */
async function mountSmall(t: TestContext): Promise<string | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'audit-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]).status === 0;
  t.after(async () => {
    if (mounted) spawnSync('umount', ['-l', path]);
    await rmdir(path);
  });
  return mounted ? path : undefined;
}

test('a real disk of 64 KB that fills up: fail closed in mid-record, recover without a restart', async (t) => {
  const disk = await mountSmall(t);
  if (disk === undefined) {
    t.skip('mounting a tmpfs needs privileges');
    return;
  }
  const ballast = join(disk, 'ballast');
  await writeFile(ballast, Buffer.alloc(16 * 1024));
  const directory = join(disk, 'audit');
  const journal = await open(t, directory);
  const acknowledged: string[] = [];
  for (let full = false; !full;) {
    const tries = await Promise.allSettled([journal.append(toIntent()), journal.append(toIntent())]);
    for (const one of tries) {
      if (one.status === 'fulfilled') acknowledged.push(one.value.id);
      else full = one.reason.code === 'audit_unavailable';
    }
  }
  assert.ok(acknowledged.length > 20);
  assert.equal(journal.healthy(), false);
  await assert.rejects(journal.append(toOutcome(acknowledged[0] ?? '')), { code: 'audit_unavailable' });

  await rm(ballast);
  await until(journal.healthy);
  for (const id of acknowledged.slice(1, 11)) await journal.append(toOutcome(id));
  await until(() => journal.healthy());
  await journal.close();

  const { defect } = await verifyJournal(directory);
  assert.equal(defect, undefined);
  const records = await readRecords(directory);
  const ids = new Set(records.map(({ id }) => id));
  assert.deepEqual(
    acknowledged.filter((id) => !ids.has(id)),
    [],
  );
  const late = records.find((record) => record.kind === 'outcome' && record.intent === acknowledged[0]);
  assert.ok(late?.kind === 'outcome' && late.code === 'outcome_unrecorded');
  assert.ok(
    (await readdir(directory)).some((name) => name.endsWith('.torn')),
    'it was full in mid-record',
  );
});

test('a directory that cannot be written to stops the start with the error of the disk', async (t) => {
  const file = join(await createDirectory(t), 'file');
  await writeFile(file, '');
  await assert.rejects(open(t, join(file, 'audit')), { code: 'ENOTDIR' });
});
