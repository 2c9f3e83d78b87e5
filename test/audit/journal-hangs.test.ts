import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Journal } from '../../src/audit/journal.ts';
import { DirectoryLockedError } from '../../src/audit/lock.ts';
import type { OutcomeEvent } from '../../src/audit/record.ts';
import { verifyJournal } from '../../src/audit/verify.ts';
import { open, readRecords, toIntent, toOutcome, until } from './support/journal.ts';
import { assertWhole, createRig, outwaits, recovers, unavailable } from './support/rig.ts';

/** What ended the intent of this request. */
async function readEndings(directory: string, requestId: string): Promise<readonly OutcomeEvent[]> {
  const records = await readRecords(directory);
  const intent = records.find((record) => record.kind === 'intent' && record.requestId === requestId);
  assert.ok(intent);
  return records
    .filter((record) => record.kind === 'outcome')
    .filter((outcome) => outcome.intent === intent.id);
}

test('a sync that hangs: 503 after the time, further appends fail at once, and it resumes by itself', async (t) => {
  const rig = await createRig(t);
  const { directory, files, journal } = rig;
  files.set('sync', 'hang');
  await outwaits(t, rig, () => journal.append(toIntent({ requestId: 'hung' })));
  assert.equal(journal.healthy(), false);
  // No time goes by here.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await assert.rejects(journal.append(toIntent({ requestId: 'never written' })), unavailable);
  t.mock.timers.reset();
  const after = await recovers(rig);
  await journal.append(toOutcome(after));
  await journal.close();
  await assertWhole(directory, [after]);
  assert.equal((await readEndings(directory, 'hung')).length, 1, 'durable after all, it is ended once');
  const records = await readRecords(directory);
  assert.ok(!records.some((record) => record.kind === 'intent' && record.requestId === 'never written'));
});

test('an intent that was refused for its time and stands after all is ended although no other record comes', async (t) => {
  const rig = await createRig(t);
  const { directory, files, journal } = rig;
  files.set('sync', 'hang');
  await outwaits(t, rig, () => journal.append(toIntent({ requestId: 'hung' })));
  files.release();
  await until(() => files.calls.filter((call) => call === 'sync').length === 2);
  const [ending] = await readEndings(directory, 'hung');
  assert.deepEqual([ending?.result, ending?.status, ending?.code], ['failed', 503, 'audit_unavailable']);
});

test('an intent that comes to stand while the journal is closed is ended before the file is', async (t) => {
  const rig = await createRig(t);
  const { directory, files, journal } = rig;
  files.set('sync', 'hang');
  await outwaits(t, rig, () => journal.append(toIntent({ requestId: 'hung' })));
  files.calls.length = 0;
  const closed = journal.close();
  files.release();
  await closed;
  await until(() => files.calls.includes('close'));
  await new Promise(setImmediate);
  assert.deepEqual(files.calls, ['sync', 'write', 'sync', 'close'], 'and nothing is written after it');
  assert.equal((await readEndings(directory, 'hung')).length, 1);
});

test('a process can end while a sync hangs; the file and the directory are given free when it returns', async (t) => {
  const rig = await createRig(t);
  const { directory, files, journal } = rig;
  files.set('sync', 'hang');
  await outwaits(t, rig, () => journal.append(toIntent()));
  await journal.close();
  await assert.rejects(open(t, directory), DirectoryLockedError);
  files.release();
  await until(() => files.calls.at(-1) === 'close');
  let next: Journal | undefined;
  while (next === undefined) {
    next = await open(t, directory).catch((error: unknown) => {
      assert.ok(error instanceof DirectoryLockedError);
      return undefined;
    });
  }
  await next.close();
  assert.equal((await verifyJournal(directory)).defect, undefined);
});
