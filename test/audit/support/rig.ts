import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Journal } from '../../../src/audit/journal.ts';
import { verifyJournal } from '../../../src/audit/verify.ts';
import { createFaultyFiles } from './faulty-files.ts';
import type { FaultyFiles } from './faulty-files.ts';
import { APPEND_TIMEOUT_MS, createDirectory, open, readRecords, toIntent, until } from './journal.ts';

/** A journal on a disk whose faults a test switches on and off. */
export type Rig = Readonly<{ directory: string; files: FaultyFiles; journal: Journal }>;

export async function createRig(t: TestContext): Promise<Rig> {
  const directory = await createDirectory(t);
  const files = createFaultyFiles();
  t.after(files.release);
  const journal = await open(t, directory, { files });
  files.calls.length = 0;
  return { directory, files, journal };
}

export const unavailable = { name: 'ProblemError', code: 'audit_unavailable', status: 503 };

/** Intact, and nothing that was acknowledged is missing. */
export async function assertWhole(directory: string, acknowledged: readonly string[]): Promise<void> {
  const { defect } = await verifyJournal(directory);
  assert.equal(defect, undefined);
  const ids = new Set((await readRecords(directory)).map(({ id }) => id));
  for (const id of acknowledged) assert.ok(ids.has(id), `the acknowledged record ${id} is lost`);
}

export async function recovers({ journal, files }: Rig): Promise<string> {
  files.release();
  await until(journal.healthy);
  return (await journal.append(toIntent())).id;
}

/**
 * Appends on a disk that hangs, and is refused when the time that a record may take has gone by, neither sooner nor later. The time goes
 * by at the word of the test: how long it is on a busy machine makes no difference.
 */
export async function outwaits(
  t: TestContext,
  { files, journal }: Rig,
  append: () => Promise<unknown>,
): Promise<void> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let settled = false;
  const refused = assert.rejects(append(), unavailable).finally(() => (settled = true));
  while (files.hanging() === 0) await new Promise(setImmediate);
  t.mock.timers.tick(APPEND_TIMEOUT_MS - 1);
  await new Promise(setImmediate);
  assert.deepEqual([settled, journal.healthy()], [false, true]);
  t.mock.timers.tick(1);
  await refused;
  t.mock.timers.reset();
}
