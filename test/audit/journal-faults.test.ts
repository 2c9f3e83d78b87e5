import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Journal } from '../../src/audit/journal.ts';
import { verifyJournal } from '../../src/audit/verify.ts';
import { countOpen, createFaultyFiles } from './support/faulty-files.ts';
import {
  createDirectory,
  open,
  readFiles,
  readRecords,
  toIntent,
  toOutcome,
  until,
} from './support/journal.ts';
import { assertWhole, createRig, outwaits, recovers, unavailable } from './support/rig.ts';

test('mutant "answers before the sync": append resolves only after write, then sync have returned', async (t) => {
  const { journal, files } = await createRig(t);
  files.set('sync', 'hang');
  let answered = false;
  const appended = journal.append(toIntent()).then(() => {
    answered = true;
    files.calls.push('answer');
  });
  await until(() => files.calls.includes('write'));
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
  assert.equal(answered, false);
  files.release();
  await appended;
  assert.deepEqual(files.calls, ['write', 'sync', 'answer']);
});

test('mutant "writes through a stream": every record costs its own write and sync when it is alone', async (t) => {
  const { journal, files } = await createRig(t);
  for (let count = 0; count < 3; count += 1) await journal.append(toIntent());
  assert.deepEqual(files.calls, ['write', 'sync', 'write', 'sync', 'write', 'sync']);
});

test('records that arrive while a sync runs share the next one', async (t) => {
  const { journal, files } = await createRig(t);
  files.set('sync', 'hang');
  const first = journal.append(toIntent());
  await until(() => files.calls.includes('write'));
  const others = Array.from({ length: 20 }, () => journal.append(toIntent()));
  files.release();
  await Promise.all([first, ...others]);
  assert.deepEqual(files.calls, ['write', 'sync', 'write', 'sync']);
});

for (const room of [0, 1, 300, 700, 1300]) {
  test(`mutant "swallows ENOSPC": a disk that takes ${room} bytes fails closed, and all is whole afterwards`, async (t) => {
    const rig = await createRig(t);
    const { directory, files, journal } = rig;
    const before = await journal.append(toIntent());
    files.set('write', 'ENOSPC', room);
    const refused = Array.from({ length: 3 }, () => journal.append(toIntent()));
    for (const one of refused) await assert.rejects(one, unavailable);
    assert.equal(journal.healthy(), false);
    await assert.rejects(journal.append(toIntent()), unavailable);
    const after = await recovers(rig);
    await journal.append(toOutcome(before.id));
    await journal.append(toOutcome(after));
    await journal.close();
    await assertWhole(directory, [before.id, after]);
    assert.equal((await readFiles(directory)).length, 2, 'a new file is begun after a failed write');
    assert.deepEqual((await verifyJournal(directory)).open, [], 'no refused intent stays open');
  });
}

test('the torn bytes of a failed write are kept beside the file', async (t) => {
  const rig = await createRig(t);
  rig.files.set('write', 'ENOSPC', 100);
  await assert.rejects(rig.journal.append(toIntent()), unavailable);
  await recovers(rig);
  const [torn = ''] = (await readdir(rig.directory)).filter((name) => name.endsWith('.torn'));
  assert.equal(torn, 'audit-000001.jsonl.torn');
  assert.equal((await readFile(join(rig.directory, torn))).byteLength, 100);
});

test('EIO on write fails closed and service resumes by itself', async (t) => {
  const rig = await createRig(t);
  rig.files.set('write', 'EIO');
  await assert.rejects(rig.journal.append(toIntent()), unavailable);
  const after = await recovers(rig);
  await assertWhole(rig.directory, [after]);
});

test('after a failed sync the file is closed, its lines are written again, and a new file is begun', async (t) => {
  const rig = await createRig(t);
  const { directory, files, journal } = rig;
  files.set('sync', 'EIO');
  await assert.rejects(journal.append(toIntent({ requestId: 'refused' })), unavailable);
  await until(() => files.calls.filter((call) => call === 'sync failed').length > 2);
  const after = await recovers(rig);
  // The refused record is on disk, so its intent is ended by the journal itself.
  await journal.append(toOutcome(after));
  await journal.close();
  await assertWhole(directory, [after]);
  const records = await readRecords(directory);
  const refused = records.find((record) => record.kind === 'intent' && record.requestId === 'refused');
  const ending = records.find((record) => record.kind === 'outcome' && record.intent === refused?.id);
  assert.ok(ending?.kind === 'outcome');
  assert.equal(ending.result, 'failed');
  assert.equal(ending.status, 503);
  assert.equal(ending.code, 'audit_unavailable');
  assert.equal((await verifyJournal(directory)).open.length, 0);
  const tail = files.calls.slice(files.calls.lastIndexOf('sync failed') + 1);
  assert.deepEqual(tail.slice(tail.indexOf('open update'), tail.indexOf('open append') + 2), [
    'open update',
    'write',
    'sync',
    'close',
    'open append',
    'sync directory',
  ]);
});

for (const [what, outcome, told] of [
  ['a success', {}, { result: 'success', status: 500, code: 'outcome_unrecorded' }],
  [
    'an open one',
    { result: 'unknown', status: 502, code: 'outcome_unknown' },
    { result: 'unknown', status: 500, code: 'outcome_unrecorded' },
  ],
  [
    'a refusal',
    { result: 'failed', status: 403, code: 'graph_forbidden' },
    { result: 'failed', status: 403, code: 'graph_forbidden' },
  ],
] as const) {
  test(`an outcome that cannot be written is written later, as what its caller was told: ${what}`, async (t) => {
    const rig = await createRig(t);
    const { directory, files, journal } = rig;
    const intent = await journal.append(toIntent());
    files.set('write', 'ENOSPC', 10);
    await assert.rejects(journal.append(toOutcome(intent.id, outcome)), unavailable);
    const other = await recovers(rig);
    await journal.append(toOutcome(other));
    await journal.close();
    await assertWhole(directory, [intent.id, other]);
    const late = (await readRecords(directory)).flatMap((record) =>
      record.kind === 'outcome' && record.intent === intent.id
        ? [{ result: record.result, status: record.status, code: record.code }]
        : [],
    );
    assert.deepEqual(late, [told]);
  });
}

const settle = (journal: Journal, intent: string) =>
  journal.append({ kind: 'settled', intent, result: 'success' });

const settledOf = async (directory: string): Promise<readonly string[]> =>
  (await readRecords(directory)).flatMap((record) => (record.kind === 'settled' ? [record.id] : []));

for (const [call, fault, room] of [
  ['sync', 'hang', 0],
  ['sync', 'EIO', 0],
  ['write', 'ENOSPC', 0],
  ['write', 'ENOSPC', 10_000],
] as const) {
  test(`an intent is settled once, whether the first try reached the disk or not: ${call} ${fault} ${room}`, async (t) => {
    const rig = await createRig(t);
    const { directory, files, journal } = rig;
    const intent = await journal.append(toIntent());
    files.set(call, fault, room);
    // Behind a disk that took all of it: the sync of the same group fails.
    if (room > 0) files.set('sync', 'EIO', room);
    if (fault === 'hang') await outwaits(t, rig, () => settle(journal, intent.id));
    else await assert.rejects(settle(journal, intent.id), unavailable);
    await assert.rejects(settle(journal, intent.id), unavailable);
    await recovers(rig);
    const settled = await settle(journal, intent.id);
    const again = await settle(journal, intent.id);
    assert.equal(again.id, settled.id);
    const other = await journal.append(toIntent());
    await Promise.all([settle(journal, other.id), settle(journal, other.id)]);
    const before = await settledOf(directory);
    assert.equal(before[0], settled.id);
    assert.equal(before.length, 2);
    await journal.close();
    await assertWhole(directory, [intent.id, other.id, settled.id]);
  });
}

test('an intent that an earlier process settled is not settled again', async (t) => {
  const directory = await createDirectory(t);
  const first = await open(t, directory);
  const intent = await first.append(toIntent({ idempotencyKeyHash: 'key' }));
  await first.append(toOutcome(intent.id, { result: 'unknown', status: 502, code: 'outcome_unknown' }));
  const settled = await settle(first, intent.id);
  await first.close();
  const second = await open(t, directory);
  assert.equal((await settle(second, intent.id)).hash, settled.hash);
  assert.deepEqual(await settledOf(directory), [settled.id]);
});

test('a disk that fails once per file, many times, never breaks the chain nor loses a record', async (t) => {
  const rig = await createRig(t);
  const acknowledged: string[] = [];
  for (let round = 0; round < 30; round += 1) {
    const faults = [
      ['write', 'EIO'],
      ['write', 'ENOSPC', round * 70],
      ['sync', 'EIO'],
      ['open', 'EIO'],
    ] as const;
    const [call, fault, room] = faults[round % faults.length] ?? faults[0];
    rig.files.set(call, fault, room);
    const tries = await Promise.allSettled(Array.from({ length: 5 }, () => rig.journal.append(toIntent())));
    for (const one of tries) if (one.status === 'fulfilled') acknowledged.push(one.value.id);
    acknowledged.push(await recovers(rig));
  }
  await rig.journal.close();
  await assertWhole(rig.directory, acknowledged);
});

test('a kill in the middle of the repair: the next start finds a whole journal', async (t) => {
  const { directory, files, journal } = await createRig(t);
  files.set('write', 'ENOSPC', 900);
  await Promise.allSettled([journal.append(toIntent()), journal.append(toIntent())]);
  files.set('truncate', 'EIO');
  files.set('write', undefined);
  await until(() => files.calls.includes('truncate failed'));
  await journal.close();
  await (await open(t, directory)).close();
  const { defect, open: left } = await verifyJournal(directory);
  assert.equal(defect, undefined);
  assert.deepEqual(left, []);
});

for (const call of ['write', 'sync', 'open', 'truncate'] as const) {
  test(`a process that ends while ${call} fails leaves no file open`, async (t) => {
    const directory = await createDirectory(t);
    const files = createFaultyFiles();
    const journal = await open(t, directory, { files });
    if (call !== 'write') files.set(call, 'EIO');
    files.set('write', 'ENOSPC', 10);
    await assert.rejects(journal.append(toIntent()), unavailable);
    await journal.close();
    assert.equal(countOpen(files), 0, files.calls.join(', '));
    files.release();
    await (await open(t, directory)).close();
  });
}
