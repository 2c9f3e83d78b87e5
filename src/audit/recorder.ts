import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Chain, ChainHead, SealedEvent } from './chain.ts';
import { CommitError, createGroupCommit } from './group-commit.ts';
import type { CommitFailure } from './group-commit.ts';
import { createLateEndings } from './late-endings.ts';
import type { AuditEvent, AuditRecord, RecordSeal } from './record.ts';
import type { Segments } from './segments.ts';
import type { Settlements } from './settlements.ts';

export type AppendResult = 'written' | CommitFailure;

export type RecorderOptions = Readonly<{
  chain: Chain;
  segments: Segments;
  settlements: Settlements;
  now: () => number;
  randomUUID: () => string;
  log: Logger;
  /** Told about every record once it is durable. */
  onRecord?: ((line: string) => void) | undefined;
  onAppend: (result: AppendResult, seconds: number) => void;
}>;

/** Events become durable records of one chain, in the order in which they came. */
export type Recorder = Readonly<{
  /**
   * Rejects with ProblemError `audit_unavailable` when the record is not durable within the time. A second `settled` of an intent is not
   * written: the first is the record.
   */
  record: <Event extends AuditEvent>(event: Event, timeoutMs: number) => Promise<AuditRecord<Event>>;
  /** Whether a new record would be tried. */
  accepting: () => boolean;
  /** Closes the file once nothing is under way any more; nothing new is tried. A disk that hangs keeps it waiting. */
  close: () => Promise<void>;
}>;

type Item<Event extends AuditEvent = AuditEvent> = {
  readonly event: Event;
  readonly time: number;
  readonly id: string;
  seal: RecordSeal | undefined;
  refused: boolean;
};

type FailedGroup = Readonly<{
  items: readonly Item[];
  sealed: readonly SealedEvent[];
  before: ChainHead;
}>;

/** Records that one write and one sync make durable together. */
export const MAX_GROUP = 1024;
const MAX_WAITING = 10_000;
const LATE_TIMEOUT_MS = 10_000;
const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 2000;

export function createRecorder(options: RecorderOptions): Recorder {
  const { chain, segments, settlements, now, randomUUID, log, onRecord, onAppend } = options;
  const late = createLateEndings();
  const closing = new AbortController();
  let recovering = Promise.resolve();
  const group = createGroupCommit<Item>({
    commit,
    maxGroup: MAX_GROUP,
    maxWaiting: MAX_WAITING,
    onRefused(item, underWay) {
      item.refused = true;
      if (!underWay) isLost(item);
    },
    onCommitted: writeLateEndings,
  });

  /** Everything before it has been decided by now, so that what stands is known. */
  async function commit(items: readonly Item[]): Promise<void> {
    const toWrite = settlements.toWrite(items);
    if (toWrite.length > 0) await write(toWrite);
    if (toWrite.length === items.length) return;
    for (const item of items)
      if (item.event.kind === 'settled') item.seal = settlements.sealOf(item.event.intent);
  }

  async function write(items: readonly Item[]): Promise<void> {
    const before = chain.head();
    const sealed: SealedEvent[] = [];
    try {
      for (const { event, time, id } of items) sealed.push(chain.seal(event, time, id));
      const lines = Buffer.from(sealed.map(({ line }) => line).join(''));
      await segments.append(lines, sealed[0]?.seal.time.slice(0, 10) ?? '');
    } catch (error) {
      log.error('the audit journal cannot be written', { error });
      recovering = recover({ items, sealed, before });
      throw error;
    }
    stand(items, sealed);
  }

  /** The first records of a group are durable. */
  function stand(items: readonly Item[], sealed: readonly SealedEvent[]): void {
    for (const [index, { seal, line }] of sealed.entries()) {
      const item = items[index];
      if (item === undefined) return;
      item.seal = seal;
      if (item.refused && item.event.kind === 'intent') late.intentStands(item.id);
      if (item.event.kind === 'outcome') late.remove(item.event.intent);
      if (item.event.kind === 'settled') settlements.stands(item.event.intent, seal);
      if (onRecord) tell(() => onRecord(line));
    }
  }

  /** What listens (a metric, a copy on standard output) must not turn a durable record into a failed one. */
  function tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      log.warn('a listener of the audit journal failed', { error });
    }
  }

  function isLost({ event }: Item): void {
    if (event.kind === 'outcome') late.outcomeLost(event);
  }

  /** Service resumes by itself: the disk is tried again until it does what is asked. */
  async function recover({ items, sealed, before }: FailedGroup): Promise<void> {
    for (let delay = RETRY_FIRST_MS; !closing.signal.aborted; delay = Math.min(2 * delay, RETRY_LAST_MS)) {
      try {
        const kept = countLines(sealed, await segments.recover());
        const last = sealed[kept - 1]?.seal;
        chain.rewind(last === undefined ? before : { hash: last.hash, seq: last.seq });
        stand(items.slice(0, kept), sealed.slice(0, kept));
        items.slice(kept).forEach(isLost);
        group.resume();
        log.info('the audit journal can be written again', { recordsKept: kept });
        writeLateEndings();
        return;
      } catch (error) {
        log.debug('the audit journal still cannot be written', { error });
        await sleep(delay, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  function writeLateEndings(): void {
    if (!group.accepting()) return;
    for (const outcome of late.take()) {
      // Refused once more, it comes back to the late endings by itself.
      group.submit(toItem(outcome), LATE_TIMEOUT_MS).catch(() => undefined);
    }
  }

  function toItem<Event extends AuditEvent>(event: Event): Item<Event> {
    return { event, time: now(), id: randomUUID(), seal: undefined, refused: false };
  }

  return {
    async record<Event extends AuditEvent>(event: Event, timeoutMs: number): Promise<AuditRecord<Event>> {
      const begin = performance.now();
      const item = toItem(event);
      if (event.kind === 'outcome') late.remove(event.intent);
      try {
        if (closing.signal.aborted) throw new CommitError('suspended');
        await group.submit(item, timeoutMs);
        if (item.seal === undefined) throw new CommitError('failed');
        tell(() => onAppend('written', (performance.now() - begin) / 1000));
        return Object.assign({}, item.event, item.seal);
      } catch (error) {
        const failure = error instanceof CommitError ? error.failure : 'failed';
        tell(() => onAppend(failure, (performance.now() - begin) / 1000));
        throw new ProblemError('audit_unavailable', undefined, { cause: error });
      }
    },
    accepting: () => !closing.signal.aborted && group.accepting(),
    async close() {
      closing.abort();
      await group.idle();
      // A repair under way is finished, and writes what it kept back; another one is left to the next start.
      await recovering;
      await group.idle();
      await segments.close();
    },
  };
}

/** How many whole lines so many bytes are. */
function countLines(sealed: readonly SealedEvent[], bytes: number): number {
  let rest = bytes;
  return sealed.filter(({ line }) => (rest -= Buffer.byteLength(line)) >= 0).length;
}
