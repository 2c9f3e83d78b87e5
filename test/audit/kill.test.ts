import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { verifyJournal } from '../../src/audit/verify.ts';
import { createDirectory, open, readRecords } from './support/journal.ts';

const KILLS = process.env['TEST_LONG'] === '1' ? 200 : 12;
const APPENDER = join(import.meta.dirname, 'support', 'appender.ts');

/** Runs the appender, kills it some time after so many records were acknowledged, and gives back all that were. */
async function runAndKill(directory: string, records: number, afterMs: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', APPENDER, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    if (line !== 'open') acknowledged.push(line);
    if (acknowledged.length === records) setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return acknowledged;
}

test(`${KILLS} times kill -9 under load: nothing acknowledged is lost, the chain is whole, every intent ends once`, async (t) => {
  const directory = await createDirectory(t);
  const acknowledged: string[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    // From "while it starts to write" to "well under way", never the same. On a slow disk, too, something was acknowledged.
    acknowledged.push(...(await runAndKill(directory, 4 * ((kill * 37) % 101), (kill * 7) % 11)));
  }
  await (await open(t, directory)).close();

  const { defect, open: left, chains } = await verifyJournal(directory);
  assert.equal(defect, undefined);
  assert.deepEqual(left, []);
  assert.equal(chains, KILLS + 1);
  assert.ok(acknowledged.length > KILLS);

  const records = await readRecords(directory);
  const ids = new Set(records.map(({ id }) => id));
  assert.deepEqual(
    acknowledged.filter((id) => !ids.has(id)),
    [],
  );
  const ends = new Map<string, number>();
  for (const record of records) {
    if (record.kind !== 'outcome' && record.kind !== 'recovered') continue;
    ends.set(record.intent, (ends.get(record.intent) ?? 0) + 1);
  }
  const intents = records.filter(({ kind }) => kind === 'intent');
  assert.deepEqual(
    intents.filter(({ id }) => ends.get(id) !== 1),
    [],
  );
  assert.equal(ends.size, intents.length);
});
