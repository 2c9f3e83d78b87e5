import { randomUUID as nodeRandomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.ts';
import { createChain } from './chain.ts';
import { journalFiles } from './journal-files.ts';
import type { JournalFiles } from './journal-files.ts';
import { toFileName } from './journal-names.ts';
import { countsSince } from './kept-intent.ts';
import type { KeptIntent, UndecidedCreation } from './kept-intent.ts';
import { lockDirectory } from './lock.ts';
import { readPast } from './past.ts';
import type { Past } from './past.ts';
import { prepareDirectory } from './prepare-directory.ts';
import type { AppendAudit, StartEvent } from './record.ts';
import { createRecorder } from './recorder.ts';
import type { AppendResult, Recorder } from './recorder.ts';
import { createSegments } from './segments.ts';
import { createSettlements } from './settlements.ts';

export type JournalOptions = Readonly<{
  /** Made (mode 0700) where it is absent. One process each. */
  directory: string;
  /** Of the service, of Node.js, and of the settings: what `start` and `stop` record. */
  version: string;
  node: string;
  configHash: string;
  /** Milliseconds that one record may take. */
  appendTimeoutMs?: number;
  /** A file does not grow beyond it. */
  rotateBytes?: number;
  /** Milliseconds since the epoch. */
  now?: () => number;
  randomUUID?: () => string;
  files?: JournalFiles;
  /** For metrics: what became of one append, and how long it took. */
  onAppend?: (result: AppendResult, seconds: number) => void;
  log: Logger;
  /** The line of every durable record; losing it loses nothing. */
  toStdout?: (line: string) => void;
}>;

export type Journal = Readonly<{
  append: AppendAudit;
  /** Writes `stop`, waits for all that is under way, and gives the directory free. A disk that hangs keeps it a second at most. */
  close: () => Promise<void>;
  /** Whether an append would be tried right now; false while the disk fails or hangs. */
  healthy: () => boolean;
  /**
   * The youngest intent of an earlier process with this `idempotencyKeyHash`, not older than 24 hours, and what the
   * journal knew of its end when it was opened. Without `outcome` the process died before it knew.
   */
  findByIdempotencyKey: (idempotencyKeyHash: string) => KeptIntent | undefined;
  /** The creations of earlier processes, not older than 24 hours, of which nobody knew what became when it was opened. */
  undecided: readonly UndecidedCreation[];
}>;

export const APPEND_TIMEOUT_MS = 250;
const ROTATE_BYTES = 64 * 1024 * 1024;
/** A start waits longer than a request: it has nobody to refuse. */
const START_TIMEOUT_MS = 10_000;
const END_TIMEOUT_MS = 1000;
const RECOVERED_AT_ONCE = 1000;
/** How long an idempotency key counts (contract, section 6). */
const KEY_LIFE_MS = 24 * 60 * 60 * 1000;

/**
 * Opens the audit journal of a directory: takes its lock, cuts a torn tail, closes what earlier processes left open,
 * and writes `start`. Rejects with DirectoryLockedError, JournalDamagedError, or the error of the disk.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { directory, files = journalFiles, now = Date.now } = options;
  prepareDirectory(directory);
  const lock = await lockDirectory(directory);
  let recorder: Recorder | undefined;
  try {
    const past = await readPast(files, directory, now() - KEY_LIFE_MS);
    await syncEnd(files, directory, past);
    recorder = createRecorderAfter(past, options);
    await recorder.record(toStartEvent('start', options), START_TIMEOUT_MS);
    await recordRecovered(recorder, past.open);
    return toJournal(recorder, past, lock.release, options);
  } catch (error) {
    await end(recorder, lock.release);
    throw error;
  }
}

function createRecorderAfter(past: Past, options: JournalOptions): Recorder {
  const { directory, files = journalFiles, rotateBytes = ROTATE_BYTES } = options;
  const { now = Date.now, randomUUID = nodeRandomUUID, log, onAppend, toStdout } = options;
  return createRecorder({
    chain: createChain(randomUUID(), past.hash),
    segments: createSegments({ directory, files, rotateBytes, end: past.end }),
    settlements: createSettlements(past.settled),
    now,
    randomUUID,
    log,
    onAppend: (result, seconds) => onAppend?.(result, seconds),
    onRecord: toStdout,
  });
}

/** A killed process may have written what it did not sync; the chain must not continue what could still vanish. */
async function syncEnd(files: JournalFiles, directory: string, { end }: Past): Promise<void> {
  if (end.number === 0) return;
  const file = await files.open(join(directory, toFileName(end.number)), 'update');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function recordRecovered(recorder: Recorder, intents: readonly string[]): Promise<void> {
  for (let at = 0; at < intents.length; at += RECOVERED_AT_ONCE) {
    const some = intents.slice(at, at + RECOVERED_AT_ONCE);
    await Promise.all(
      some.map((intent) =>
        recorder.record({ kind: 'recovered', intent, result: 'unknown' }, START_TIMEOUT_MS),
      ),
    );
  }
}

/**
 * The directory is given free once nothing of this process can write to it any more: a disk that hangs may do so late.
 * The end of the process does not wait for that; with it the lock ends, too.
 */
async function end(recorder: Recorder | undefined, release: () => Promise<void>): Promise<void> {
  const waiting = new AbortController();
  const ended = (recorder?.close() ?? Promise.resolve()).then(release);
  const patience = sleep(END_TIMEOUT_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
  await Promise.race([ended, patience]);
  waiting.abort();
}

function toStartEvent(kind: StartEvent['kind'], options: JournalOptions): StartEvent {
  const { version, node, configHash } = options;
  return { kind, version, node, configHash };
}

function toJournal(
  recorder: Recorder,
  past: Past,
  release: () => Promise<void>,
  options: JournalOptions,
): Journal {
  const { appendTimeoutMs = APPEND_TIMEOUT_MS, now = Date.now, log } = options;
  let { keyed } = past;
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    try {
      await recorder.record(toStartEvent('stop', options), START_TIMEOUT_MS);
    } catch (error) {
      log.error('the end of this process could not be recorded', { error });
    }
    await end(recorder, release);
  }

  return {
    append: (event) => recorder.record(event, appendTimeoutMs),
    close: () => (closing ??= close()),
    healthy: recorder.accepting,
    undecided: past.undecided,
    findByIdempotencyKey(idempotencyKeyHash) {
      const since = now() - KEY_LIFE_MS;
      const [youngest] = keyed.values();
      // All are too old by then: their memory is given back.
      if (youngest !== undefined && !countsSince(youngest, since)) keyed = new Map();
      const found = keyed.get(idempotencyKeyHash);
      return found !== undefined && countsSince(found, since) ? found : undefined;
    },
  };
}
