import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { toCanonicalJson } from '../../src/audit/canonical-json.ts';
import { toRecordHash } from '../../src/audit/chain.ts';
import { verifyJournal } from '../../src/audit/verify.ts';
import { createDirectory, open, readFiles, toIntent, toOutcome } from './support/journal.ts';

const CHECKER = join(import.meta.dirname, 'verify_chain.py');
/** Skipped in the open, so that FORBID_SKIPS=1 does not let the comparison be left out. */
const hasPython = spawnSync('python3', ['--version']).status === 0;
const PYTHON = { skip: hasPython ? false : 'python3 is not installed' };
const run = promisify(execFile);

/** Two processes with two files each, every intent ended. */
async function createIntact(t: TestContext): Promise<string> {
  const directory = await createDirectory(t);
  for (let process = 0; process < 2; process += 1) {
    const journal = await open(t, directory, { rotateBytes: 3000 });
    for (let count = 0; count < 4; count += 1) {
      const intent = await journal.append(
        toIntent({ source: { address: '::1', userAgent: `Ü ${count} \u2028"` } }),
      );
      await journal.append(toOutcome(intent.id));
    }
    await journal.close();
  }
  return directory;
}

async function checkInPython(directory: string): Promise<number> {
  return await run('python3', [CHECKER, directory]).then(
    () => 0,
    (error: { code: number }) => error.code,
  );
}

async function checkHere(directory: string): Promise<number> {
  const { defect, open: left } = await verifyJournal(directory);
  if (defect !== undefined) return 2;
  return left.length > 0 ? 3 : 0;
}

/** Changes the lines of one file. */
type Edit = (lines: string[]) => void;

async function edit(directory: string, file: string, change: Edit): Promise<void> {
  const path = join(directory, file);
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  change(lines);
  await writeFile(path, lines.map((line) => `${line}\n`).join(''));
}

/** Changes one record and gives it a right hash again, as somebody would who knows how. */
function rehash(line: string, change: (record: Record<string, unknown>) => void): string {
  const { hash: _, ...record } = JSON.parse(line);
  change(record);
  return toCanonicalJson({ ...record, hash: toRecordHash(toCanonicalJson(record)) });
}

const FIRST = 'audit-000001.jsonl';
const SECOND = 'audit-000002.jsonl';
const THIRD = 'audit-000003.jsonl';
const LAST = 'audit-000004.jsonl';

const inFile =
  (file: string, change: Edit) =>
  (directory: string): Promise<void> =>
    edit(directory, file, change);

type Damage = Readonly<{
  name: string;
  kind: string;
  file: string;
  /** Of a defect in a file. */
  line?: number;
  seq?: number;
  damage: (directory: string) => Promise<void>;
}>;

const DAMAGES: readonly Damage[] = [
  {
    name: 'a value is changed',
    kind: 'changed',
    file: FIRST,
    line: 3,
    seq: 3,
    damage: inFile(FIRST, (lines) => (lines[2] = (lines[2] ?? '').replace('"success"', '"failed"'))),
  },
  {
    name: 'a value is changed and the hash recomputed',
    kind: 'changed',
    file: FIRST,
    line: 4,
    seq: 4,
    damage: inFile(
      FIRST,
      (lines) => (lines[2] = rehash(lines[2] ?? '', (record) => (record['result'] = 'failed'))),
    ),
  },
  {
    name: 'a member is added',
    kind: 'changed',
    file: FIRST,
    line: 2,
    seq: 2,
    damage: inFile(FIRST, (lines) => (lines[1] = (lines[1] ?? '').replace('{"action"', '{"a":1,"action"'))),
  },
  {
    name: 'a member stands twice',
    kind: 'changed',
    file: FIRST,
    line: 3,
    seq: 3,
    damage: inFile(FIRST, (lines) => (lines[2] = (lines[2] ?? '').replace('"v":1', '"v":1,"v":1'))),
  },
  {
    name: 'a line is written with other white space',
    kind: 'changed',
    file: FIRST,
    line: 2,
    seq: 2,
    damage: inFile(FIRST, (lines) => (lines[1] = (lines[1] ?? '').replace('":', '": '))),
  },
  {
    name: 'a text is escaped in another way',
    kind: 'changed',
    file: FIRST,
    line: 2,
    seq: 2,
    damage: inFile(FIRST, (lines) => (lines[1] = (lines[1] ?? '').replace('Ü', '\\u00dc'))),
  },
  {
    name: 'a line ends in carriage return',
    kind: 'changed',
    file: FIRST,
    line: 2,
    seq: 2,
    damage: inFile(FIRST, (lines) => (lines[1] += '\r')),
  },
  {
    name: 'an empty line is put in',
    kind: 'changed',
    file: FIRST,
    line: 3,
    seq: 3,
    damage: inFile(FIRST, (lines) => lines.splice(2, 0, '')),
  },
  {
    name: 'a record is removed in the middle',
    kind: 'removed',
    file: FIRST,
    line: 3,
    seq: 4,
    damage: inFile(FIRST, (lines) => lines.splice(2, 1)),
  },
  {
    name: 'the first record is removed',
    kind: 'removed',
    file: FIRST,
    line: 1,
    seq: 2,
    damage: inFile(FIRST, (lines) => lines.splice(0, 1)),
  },
  {
    name: 'the last record of a file is removed',
    kind: 'removed',
    file: SECOND,
    line: 1,
    seq: 6,
    damage: inFile(FIRST, (lines) => lines.splice(-1, 1)),
  },
  {
    name: 'two records are swapped',
    kind: 'swapped',
    file: FIRST,
    line: 3,
    seq: 4,
    damage: inFile(FIRST, (lines) => lines.splice(2, 2, lines[3] ?? '', lines[2] ?? '')),
  },
  {
    name: 'a record is repeated',
    kind: 'inserted',
    file: FIRST,
    line: 4,
    seq: 3,
    damage: inFile(FIRST, (lines) => lines.splice(3, 0, lines[2] ?? '')),
  },
  {
    name: 'an old record is put in again',
    kind: 'inserted',
    file: FIRST,
    line: 5,
    seq: 2,
    damage: inFile(FIRST, (lines) => lines.splice(4, 0, lines[1] ?? '')),
  },
  {
    name: 'a forged record is put in, well linked',
    kind: 'inserted',
    file: FIRST,
    line: 5,
    seq: 4,
    damage: inFile(FIRST, (lines) =>
      lines.splice(
        3,
        0,
        rehash(lines[3] ?? '', (record) => (record['id'] = 'forged')),
      ),
    ),
  },
  {
    name: 'a file is removed in the middle',
    kind: 'removed',
    file: THIRD,
    line: 1,
    seq: 2,
    damage: (directory) => rm(join(directory, SECOND)),
  },
  {
    name: 'two files are swapped',
    kind: 'removed',
    file: FIRST,
    line: 1,
    seq: 6,
    async damage(directory) {
      await rename(join(directory, FIRST), join(directory, 'x'));
      await rename(join(directory, SECOND), join(directory, FIRST));
      await rename(join(directory, 'x'), join(directory, SECOND));
    },
  },
  {
    name: 'a file is emptied',
    kind: 'removed',
    file: SECOND,
    line: 1,
    seq: 6,
    damage: (directory) => writeFile(join(directory, FIRST), ''),
  },
  {
    name: 'a line of the middle is cut',
    kind: 'changed',
    file: FIRST,
    line: 3,
    seq: 3,
    damage: inFile(FIRST, (lines) => (lines[2] = (lines[2] ?? '').slice(0, 100))),
  },
  {
    name: 'a byte is no UTF-8',
    kind: 'changed',
    file: FIRST,
    line: 2,
    seq: 2,
    async damage(directory) {
      const bytes = await readFile(join(directory, FIRST));
      bytes[bytes.indexOf('Ü')] = 0xff;
      await writeFile(join(directory, FIRST), bytes);
    },
  },
  {
    name: 'a foreign file lies there',
    kind: 'foreign file',
    file: 'audit-1.jsonl',
    damage: (directory) => writeFile(join(directory, 'audit-1.jsonl'), ''),
  },
  {
    name: 'a file of records lies there under a second name',
    kind: 'foreign file',
    file: 'audit-0000001.jsonl',
    damage: (directory) => cp(join(directory, FIRST), join(directory, 'audit-0000001.jsonl')),
  },
  {
    name: 'a foreign file has the name of a record file, and zeros too many',
    kind: 'foreign file',
    file: 'audit-0000099.jsonl',
    damage: (directory) => writeFile(join(directory, 'audit-0000099.jsonl'), 'x\n'),
  },
  {
    name: 'a directory has the name of a record file',
    kind: 'foreign file',
    file: 'audit-000009.jsonl',
    damage: (directory) => mkdir(join(directory, 'audit-000009.jsonl')),
  },
  {
    name: 'a link to nothing has the name of a record file',
    kind: 'foreign file',
    file: 'audit-000009.jsonl',
    damage: (directory) => symlink('/there/is/none', join(directory, 'audit-000009.jsonl')),
  },
  {
    name: 'the last line has no end',
    kind: 'torn',
    file: LAST,
    line: 4,
    seq: 10,
    async damage(directory) {
      const last = join(directory, (await readFiles(directory)).at(-1) ?? '');
      await writeFile(last, (await readFile(last)).subarray(0, -1));
    },
  },
  {
    name: 'a seq is skipped in a chain that is linked well',
    kind: 'removed',
    file: LAST,
    line: 5,
    seq: 12,
    async damage(directory) {
      const last = (await readFiles(directory)).at(-1) ?? '';
      await edit(directory, last, (lines) => {
        lines.push(
          rehash(lines.at(-1) ?? '', (record) => {
            record['previous'] = JSON.parse(lines.at(-1) ?? '').hash;
            record['seq'] = Number(record['seq']) + 2;
          }),
        );
      });
    },
  },
];

test('an intact journal is intact', async (t) => {
  const directory = await createIntact(t);
  const { defect, records, chains, open: left, first, last } = await verifyJournal(directory);
  assert.deepEqual(
    { defect, records, chains, left },
    { defect: undefined, records: 20, chains: 2, left: [] },
  );
  assert.ok(first !== undefined && last !== undefined && first <= last);
});

for (const { name, damage, ...expected } of DAMAGES) {
  test(`damage: ${name}`, async (t) => {
    const directory = await createIntact(t);
    await damage(directory);
    const { defect } = await verifyJournal(directory);
    assert.ok(defect !== undefined);
    const { detail: _, ...found } = defect;
    assert.deepEqual(found, expected);
  });
}

test(
  'the checker in Python agrees on intact journals, on open intents and on each damage',
  PYTHON,
  async (t) => {
    const directory = await createIntact(t);
    assert.deepEqual([await checkHere(directory), await checkInPython(directory)], [0, 0]);
    const journal = await open(t, directory);
    await journal.append(toIntent());
    await journal.close();
    assert.deepEqual([await checkHere(directory), await checkInPython(directory)], [3, 3]);
    for (const { name, damage } of DAMAGES) {
      const damaged = await createIntact(t);
      await damage(damaged);
      assert.equal(await checkInPython(damaged), 2, name);
    }
  },
);

test('a journal that was cut is found out by the head kept elsewhere', async (t) => {
  const directory = await createIntact(t);
  const { head } = await verifyJournal(directory);
  assert.equal((await verifyJournal(directory, { head })).behindHead, 0);
  await (await open(t, directory)).close();
  assert.equal((await verifyJournal(directory, { head })).behindHead, 2, 'it may grow');
  const files = await readFiles(directory);
  await edit(directory, files.at(-1) ?? '', (lines) => lines.splice(-3));
  assert.equal((await verifyJournal(directory)).defect, undefined, 'nothing in the chain itself tells');
  assert.equal((await verifyJournal(directory, { head })).defect?.kind, 'truncated');
});

test('a journal whose oldest files were removed is accepted with the hash that it continues', async (t) => {
  const directory = await createIntact(t);
  const lines = (await readFile(join(directory, FIRST), 'utf8')).trim().split('\n');
  const from = JSON.parse(lines.at(-1) ?? '').hash;
  await rm(join(directory, FIRST));
  assert.equal((await verifyJournal(directory)).defect?.kind, 'removed');
  assert.equal((await verifyJournal(directory, { from })).defect, undefined);
  assert.notEqual((await verifyJournal(directory, { from: 'f'.repeat(64) })).defect, undefined);
});

test('a copy of the directory verifies too: nothing in it depends on where it lies', async (t) => {
  const directory = await createIntact(t);
  const copy = join(await createDirectory(t), 'copy');
  await cp(directory, copy, { recursive: true, filter: (path) => !path.includes('.lock-') });
  assert.equal(await checkHere(copy), 0);
});

test('a journal that is being written to verifies at any moment', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory, { rotateBytes: 20_000 });
  const enough = new AbortController();
  const writer = (async () => {
    while (!enough.signal.aborted)
      await Promise.all(Array.from({ length: 20 }, () => journal.append(toIntent())));
  })();
  for (let count = 0; count < 10; count += 1) {
    const { defect } = await verifyJournal(directory);
    assert.equal(defect, undefined);
  }
  enough.abort();
  await writer;
});
