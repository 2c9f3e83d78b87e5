import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, copyFile, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { toCanonicalJson } from '../../src/audit/canonical-json.ts';
import { MAX_TEXT_LENGTH } from '../../src/audit/record-text.ts';
import type { Journal } from '../../src/audit/journal.ts';
import { DirectoryLockedError } from '../../src/audit/lock.ts';
import { JournalDamagedError } from '../../src/audit/past.ts';
import { verifyJournal } from '../../src/audit/verify.ts';
import { createDirectory, open, readFiles, readRecords, toIntent, toOutcome } from './support/journal.ts';

const FIRST = 'audit-000001.jsonl';
const PAGE = 8192;

test('every line is the canonical JSON of its record, and its hash that of the record without it', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  const intent = await journal.append(
    toIntent({ source: { address: '::1', userAgent: 'Ünï "q" \\ \u2028' } }),
  );
  await journal.append(toOutcome(intent.id));
  await journal.close();
  const text = await readFile(join(directory, 'audit-000001.jsonl'), 'utf8');
  let previous = '0'.repeat(64);
  for (const [index, line] of text.split('\n').slice(0, -1).entries()) {
    const record = JSON.parse(line);
    const { hash, ...rest } = record;
    assert.equal(line, toCanonicalJson(record));
    assert.equal(hash, createHash('sha256').update(toCanonicalJson(rest)).digest('hex'));
    assert.equal(record.previous, previous);
    assert.equal(record.seq, index + 1);
    assert.equal(record.v, 1);
    assert.match(record.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    previous = hash;
  }
  const kinds = (await readRecords(directory)).map(({ kind }) => kind);
  assert.deepEqual(kinds, ['start', 'intent', 'outcome', 'stop']);
});

test('the record that append gives back is the one on disk', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  const record = await journal.append(toIntent());
  assert.deepEqual({ ...(await readRecords(directory))[1] }, record);
});

test('files are readable by their owner only', async (t) => {
  const directory = await createDirectory(t);
  await open(t, directory);
  assert.equal((await stat(join(directory, 'audit-000001.jsonl'))).mode & 0o777, 0o600);
});

test('records that arrive in one turn share one sync', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  const records = await Promise.all(Array.from({ length: 500 }, () => journal.append(toIntent())));
  assert.deepEqual(
    records.map(({ seq }) => seq),
    Array.from({ length: 500 }, (_, index) => index + 2),
  );
});

test('a new file begins by size and by UTC day, and continues the chain', async (t) => {
  const directory = await createDirectory(t);
  let time = Date.parse('2026-03-01T23:59:59.000Z');
  const journal = await open(t, directory, { rotateBytes: 2000, now: () => time });
  for (let count = 0; count < 9; count += 1) await journal.append(toIntent());
  const bySize = (await readFiles(directory)).length;
  assert.ok(bySize >= 3);
  for (const name of await readFiles(directory)) {
    assert.ok((await stat(join(directory, name))).size <= 2000);
  }
  time += 1000;
  await journal.append(toIntent());
  assert.equal((await readFiles(directory)).length, bySize + 1);
  await journal.close();
  assert.equal((await verifyJournal(directory)).defect, undefined);
});

test('a restart continues the chain over the border of the process', async (t) => {
  const directory = await createDirectory(t);
  await (await open(t, directory)).close();
  await (await open(t, directory)).close();
  const records = await readRecords(directory);
  assert.deepEqual(
    records.map(({ kind, seq }) => `${kind} ${seq}`),
    ['start 1', 'stop 2', 'start 1', 'stop 2'],
  );
  assert.equal(records[2]?.previous, records[1]?.hash);
  assert.equal((await verifyJournal(directory)).chains, 2);
});

test('a torn last line is cut at the next start and its bytes are kept', async (t) => {
  const directory = await createDirectory(t);
  const file = join(directory, 'audit-000001.jsonl');
  for (const torn of ['{"kind":"intent","cut', '{"other', '{"other', '\0\0\0\0', '{"half\0\0\0\n']) {
    await (await open(t, directory)).close();
    await appendFile(file, torn);
  }
  await (await open(t, directory)).close();
  const kept = (await readdir(directory)).filter((name) => name.endsWith('.torn')).toSorted();
  assert.equal(kept[0], 'audit-000001.jsonl.2.torn');
  assert.equal(await readFile(join(directory, 'audit-000001.jsonl.torn'), 'utf8'), '{"kind":"intent","cut');
  assert.equal((await verifyJournal(directory)).defect, undefined);
});

test('a last line that is whole but no record stops the start: it is no torn write', async (t) => {
  const directory = await createDirectory(t);
  await (await open(t, directory)).close();
  await appendFile(join(directory, 'audit-000001.jsonl'), 'hello\n');
  await assert.rejects(open(t, directory), JournalDamagedError);
});

test('a copy under a name with more zeros is not read a second time', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  const left = await journal.append(toIntent());
  await journal.close();
  await copyFile(join(directory, 'audit-000001.jsonl'), join(directory, 'audit-0000001.jsonl'));
  await writeFile(join(directory, 'audit-0000099.jsonl'), 'x\n');
  await (await open(t, directory)).close();
  await rm(join(directory, 'audit-0000001.jsonl'));
  await rm(join(directory, 'audit-0000099.jsonl'));
  const recovered = (await readRecords(directory)).filter((record) => record.kind === 'recovered');
  assert.deepEqual(
    recovered.map(({ intent }) => intent),
    [left.id],
  );
  assert.equal((await verifyJournal(directory)).defect, undefined);
});

test('what stands in the place of a record file and is none stops the start, by name', async (t) => {
  const directory = await createDirectory(t);
  await (await open(t, directory)).close();
  await mkdir(join(directory, 'audit-000002.jsonl'));
  await assert.rejects(open(t, directory), /audit-000002\.jsonl is no file/);
});

/** A journal with one group of 40 intents, and zeros where one page of its bytes was; `more` is written behind. */
async function createWithLostPage(
  t: TestContext,
  more: (journal: Journal, intents: readonly string[]) => Promise<unknown> = async () => undefined,
  userAgent = 'test',
): Promise<string> {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  const source = { address: '::1', userAgent };
  const intents = await Promise.all(Array.from({ length: 40 }, () => journal.append(toIntent({ source }))));
  await more(
    journal,
    intents.map(({ id }) => id),
  );
  const lost = await createDirectory(t);
  const bytes = await readFile(join(directory, FIRST));
  // Where there is a character of more than one byte, the page begins within it.
  const within = bytes.findIndex((byte, at) => at >= PAGE && (byte & 0b1100_0000) === 0b1000_0000);
  const begin = within === -1 ? PAGE : within;
  await writeFile(join(lost, FIRST), bytes.fill(0, begin, begin + PAGE));
  return lost;
}

for (const [name, userAgent] of [
  ['', 'test'],
  [', which begins within a character', 'Ü'.repeat(200)],
] as const) {
  test(`a lost page in the middle of the last group${name}: all from there on is cut, and the chain is whole`, async (t) => {
    const directory = await createWithLostPage(t, undefined, userAgent);
    const bytes = await readFile(join(directory, FIRST));
    const journal = await open(t, directory);
    await journal.append(toOutcome((await journal.append(toIntent())).id));
    await journal.close();
    assert.equal((await verifyJournal(directory)).defect, undefined);
    const torn = await readFile(join(directory, `${FIRST}.torn`));
    assert.ok(bytes.subarray(-torn.byteLength).equals(torn), 'the bytes are kept');
    assert.ok(torn.includes(0) && bytes.byteLength - torn.byteLength < 2 * PAGE);
    assert.deepEqual((await verifyJournal(directory)).open, [], 'what stands before it is recovered');
  });
}

const PROOFS: readonly (readonly [
  string,
  (journal: Journal, intents: readonly string[]) => Promise<unknown>,
])[] = [
  ['an orderly stop', (journal) => journal.close()],
  ['the end of an intent', (journal, intents) => journal.append(toOutcome(intents.at(-1) ?? ''))],
  [
    'more than one group',
    (journal) => Promise.all(Array.from({ length: 1024 }, () => journal.append(toIntent()))),
  ],
];
for (const [name, proof] of PROOFS) {
  test(`a page of zeros with ${name} behind it is damage: nothing is cut, and verify tells`, async (t) => {
    const directory = await createWithLostPage(t, proof);
    const bytes = await readFile(join(directory, FIRST));
    await (await open(t, directory)).close();
    const grown = await readFile(join(directory, FIRST));
    assert.ok(grown.subarray(0, bytes.byteLength).equals(bytes));
    const { defect } = await verifyJournal(directory);
    assert.equal(defect?.kind, 'changed');
  });
}

test('each intent without an end gets one recovered record at the next start, over files', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory, { rotateBytes: 1500 });
  const done = await journal.append(toIntent());
  const lost = await journal.append(toIntent());
  await journal.append(toOutcome(done.id));
  for (let count = 0; count < 5; count += 1) {
    await journal.append(toOutcome((await journal.append(toIntent())).id));
  }
  await journal.close();
  await (await open(t, directory)).close();
  await (await open(t, directory)).close();
  const recovered = (await readRecords(directory)).filter((record) => record.kind === 'recovered');
  assert.deepEqual(
    recovered.map(({ intent, result, seq }) => ({ intent, result, seq })),
    [{ intent: lost.id, result: 'unknown', seq: 2 }],
  );
});

test('an intent is recovered even if the process before died in its own recovery', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory, { now: () => Date.parse('2026-01-01T00:00:00Z') });
  const lost = await journal.append(toIntent());
  await journal.close();
  const file = join(directory, 'audit-000001.jsonl');
  await (await open(t, directory)).close();
  // Keep `start` of the second process in a file of its own, and cut its `recovered` and `stop` away.
  const second = join(directory, 'audit-000002.jsonl');
  const [start = ''] = (await readFile(second, 'utf8')).split('\n');
  await writeFile(second, `${start}\n`);
  assert.match(await readFile(file, 'utf8'), new RegExp(lost.id));
  await (await open(t, directory)).close();
  const recovered = (await readRecords(directory)).filter((record) => record.kind === 'recovered');
  assert.deepEqual(
    recovered.map(({ intent }) => intent),
    [lost.id],
  );
  assert.equal((await verifyJournal(directory)).defect, undefined);
});

test('after a restart an idempotency key is found with its outcome, for 24 hours', async (t) => {
  const directory = await createDirectory(t);
  let time = Date.parse('2026-03-01T12:00:00Z');
  const now = () => time;
  const first = await open(t, directory, { now });
  const done = await first.append(toIntent({ idempotencyKeyHash: 'done' }));
  await first.append(toOutcome(done.id, { result: 'unknown', status: 502, code: 'outcome_unknown' }));
  await first.append({ kind: 'settled', intent: done.id, result: 'success' });
  const lost = await first.append(toIntent({ idempotencyKeyHash: 'lost' }));
  await first.close();
  time += 20 * 60 * 60 * 1000;
  const second = await open(t, directory, { now });
  assert.equal(second.findByIdempotencyKey('done')?.intent.id, done.id);
  assert.equal(second.findByIdempotencyKey('done')?.outcome?.code, 'outcome_unknown');
  assert.equal(second.findByIdempotencyKey('done')?.settled?.result, 'success');
  assert.equal(second.findByIdempotencyKey('lost')?.intent.id, lost.id);
  assert.equal(second.findByIdempotencyKey('lost')?.outcome, undefined);
  assert.equal(second.findByIdempotencyKey('never'), undefined);
  time += 5 * 60 * 60 * 1000;
  assert.equal(second.findByIdempotencyKey('done'), undefined);
  await second.close();
  const third = await open(t, directory, { now });
  assert.equal(third.findByIdempotencyKey('lost'), undefined);
});

test('after a restart the keys of a busy day are all found, with no more kept of each than its replay needs', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory, { rotateBytes: 4_000_000 });
  const keys = Array.from({ length: 21 }, (_, thousand) => `key-${thousand}-`);
  for (const key of keys) {
    const some = Array.from({ length: 1000 }, (_, index) =>
      journal.append(toIntent({ idempotencyKeyHash: `${key}${index}` })),
    );
    await Promise.all(some);
  }
  await journal.close();
  const later = await open(t, directory);
  for (const key of keys) assert.ok(later.findByIdempotencyKey(`${key}0`) !== undefined, key);
  const kept = Object.keys(later.findByIdempotencyKey('key-0-0')?.intent ?? {});
  assert.deepEqual(kept.toSorted(), ['id', 'idempotencyKeyHash', 'parameters', 'requestId', 'time']);
});

test('a second process on the same directory is refused, by name and pid', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  await assert.rejects(open(t, directory), (error) => {
    assert.ok(error instanceof DirectoryLockedError);
    assert.equal(error.pid, process.pid);
    assert.ok(error.message.includes(directory));
    return true;
  });
  await journal.close();
  await (await open(t, directory)).close();
});

test('what is not in the contract never reaches the disk, and no text is long or malformed', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  const hostile = {
    ...toIntent({
      source: { address: '::1', userAgent: `${'x'.repeat(255)}\u{1F600}`.padEnd(100_000, 'y') },
    }),
    body: 'CANARY',
    actor: { ...toIntent().actor, userPrincipalName: 'lone \uD800', assertion: 'CANARY' },
    parameters: { validity: 1, nested: { token: 'CANARY' }, list: ['CANARY'], nothing: Number.NaN },
  };
  // @ts-expect-error -- a caller that TypeScript does not check
  await journal.append(hostile);
  await journal.close();
  const text = await readFile(join(directory, 'audit-000001.jsonl'), 'utf8');
  assert.ok(!text.includes('CANARY'));
  const [, intent] = await readRecords(directory);
  assert.ok(intent?.kind === 'intent');
  assert.equal(intent.actor.userPrincipalName, 'lone \uFFFD');
  assert.equal(intent.source.userAgent, `${'x'.repeat(255)}\uFFFD`);
  assert.equal(intent.source.userAgent.length, MAX_TEXT_LENGTH);
  assert.deepEqual({ ...intent.parameters }, { validity: 1 });
  assert.equal((await verifyJournal(directory)).defect, undefined);
});

test('after close nothing is written', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  await journal.close();
  assert.equal(journal.healthy(), false);
  await assert.rejects(journal.append(toIntent()), { code: 'audit_unavailable' });
});

test('durable records are copied to onRecord, and every append is measured', async (t) => {
  const directory = await createDirectory(t);
  const copies: string[] = [];
  const results: string[] = [];
  const journal = await open(t, directory, {
    toStdout: (line) => copies.push(JSON.parse(line).kind),
    onAppend: (result, seconds) => results.push(`${result} ${seconds >= 0}`),
  });
  await journal.append(toIntent());
  await journal.close();
  assert.deepEqual(copies, ['start', 'intent', 'stop']);
  assert.deepEqual(results, ['written true', 'written true', 'written true']);
});

test('a copy or a metric that fails does not make a durable record fail', async (t) => {
  const directory = await createDirectory(t);
  const fail = () => {
    throw new Error('nobody listens');
  };
  const journal = await open(t, directory, { toStdout: fail, onAppend: fail });
  await journal.append(toIntent());
  assert.equal(journal.healthy(), true);
});
