import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openJournal } from '../../../src/audit/journal.ts';
import type { Journal, JournalOptions } from '../../../src/audit/journal.ts';
import { readRecord } from '../../../src/audit/parse-record.ts';
import type { AuditRecord, IntentEvent, OutcomeEvent } from '../../../src/audit/record.ts';

/** A busy machine is no failure: where it is about the time that a record may take, the test lets it go by (`outwaits`). */
export const APPEND_TIMEOUT_MS = 60_000;

/** Each record a millisecond later than the one before, of whichever journal, and far from the end of a day, at which a new file begins. */
let time = Date.parse('2026-03-01T12:00:00Z');
const now = (): number => (time += 1);

const silent = { error() {}, warn() {}, info() {}, debug() {} };

export async function createDirectory(test: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-test-'));
  test.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A journal that is closed at the end of the test, if the test did not. */
export async function open(
  test: TestContext,
  directory: string,
  options: Partial<JournalOptions> = {},
): Promise<Journal> {
  const journal = await openJournal({
    directory,
    version: '0.0.0',
    node: 'v20',
    configHash: 'c0ffee',
    log: silent,
    appendTimeoutMs: APPEND_TIMEOUT_MS,
    now,
    ...options,
  });
  test.after(() => journal.close());
  return journal;
}

export function toIntent(more: Partial<IntentEvent> = {}): IntentEvent {
  return {
    kind: 'intent',
    action: 'enrollmentToken.create',
    actor: { tenantId: 'tenant', objectId: 'user', clientId: 'client', scopes: ['EnrollmentToken.Create'] },
    source: { address: '203.0.113.7', userAgent: 'test' },
    resource: { set: 'androidDeviceOwnerEnrollmentProfiles', id: 'profile' },
    parameters: { tokenValidityInSeconds: 3600 },
    requestId: 'request',
    clientRequestId: 'client-request',
    ...more,
  };
}

export function toOutcome(intent: string, more: Partial<OutcomeEvent> = {}): OutcomeEvent {
  return {
    kind: 'outcome',
    intent,
    result: 'success',
    status: 204,
    upstream: { requestId: 'graph', status: 204, attempts: 1, durationMs: 12 },
    ...more,
  };
}

export async function readFiles(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).toSorted();
}

/** All records of a directory in order; throws where a line is none. */
export async function readRecords(directory: string): Promise<readonly AuditRecord[]> {
  const files = await readFiles(directory);
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
  const lines = texts.join('').split('\n').slice(0, -1);
  return lines.map((line) => {
    const record = readRecord(line);
    if (record === undefined) throw new Error(`not a record: ${line}`);
    return record;
  });
}

export async function until(condition: () => boolean, withinMs = 60_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error('it did not come to be in time');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
