/** Why an item was not accepted: its time ran out, its write failed, or it was not tried at all. */
export type CommitFailure = 'timeout' | 'failed' | 'suspended';

export class CommitError extends Error {
  override readonly name = 'CommitError';
  readonly failure: CommitFailure;

  constructor(failure: CommitFailure, cause?: unknown) {
    super(`not committed: ${failure}`, { cause });
    this.failure = failure;
  }
}

export type GroupCommit<Item> = Readonly<{
  /** Resolves when the item's group is committed, rejects with {@link CommitError}, at the latest when the time is over. */
  submit: (item: Item, timeoutMs: number) => Promise<void>;
  /** After a failed commit nothing is tried until this is called. */
  resume: () => void;
  /** Whether a new item would be tried: no commit failed, none hangs. */
  accepting: () => boolean;
  /** Resolves when no commit is under way and nothing waits for one. */
  idle: () => Promise<void>;
}>;

type Entry<Item> = {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (error: CommitError) => void;
  timer: ReturnType<typeof setTimeout> | undefined;
};

export type GroupCommitOptions<Item> = Readonly<{
  /** Commits all or rejects; never called again before it settled. */
  commit: (items: readonly Item[]) => Promise<void>;
  /** Items of one commit, and items that may wait. */
  maxGroup: number;
  maxWaiting: number;
  /** An item whose submitter was refused: before any commit of it began, or while its commit went on (`underWay`). */
  onRefused: (item: Item, underWay: boolean) => void;
  /** After a commit, once new items are tried again. What is submitted in it is waited for by `idle`, too. */
  onCommitted: () => void;
}>;

/**
 * Items that arrive while a commit runs share the next one. A commit begins at the end of a turn of the event loop, so that all
 * that the turn brings share it: under load a third of the commits, and of the syncs with them, is saved.
 */
export function createGroupCommit<Item>(options: GroupCommitOptions<Item>): GroupCommit<Item> {
  const { commit, maxGroup, maxWaiting, onRefused, onCommitted } = options;
  let waiting: Entry<Item>[] = [];
  let running = false;
  let suspended = false;
  let hanging = false;
  let idlers: (() => void)[] = [];

  const accepting = () => !suspended && !hanging;

  function refuse(entry: Entry<Item>, error: CommitError, underWay: boolean): void {
    clearTimeout(entry.timer);
    entry.timer = undefined;
    onRefused(entry.item, underWay);
    entry.reject(error);
  }

  function expire(entry: Entry<Item>): void {
    const index = waiting.indexOf(entry);
    if (index === -1) hanging = true;
    else waiting.splice(index, 1);
    refuse(entry, new CommitError('timeout'), index === -1);
  }

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0 && !suspended) {
      const group = waiting.splice(0, maxGroup);
      try {
        await commit(group.map(({ item }) => item));
        for (const entry of group) {
          clearTimeout(entry.timer);
          entry.resolve();
        }
      } catch (error) {
        suspended = true;
        for (const entry of group) {
          if (entry.timer !== undefined) refuse(entry, new CommitError('failed', error), true);
        }
        for (const entry of waiting) refuse(entry, new CommitError('suspended'), false);
        waiting = [];
      }
      hanging = false;
      if (!suspended) onCommitted();
      if (waiting.length > 0) await endOfTurn();
    }
    running = false;
    for (const resolve of idlers) resolve();
    idlers = [];
  }

  return {
    submit: (item, timeoutMs) =>
      new Promise((resolve, reject) => {
        const entry: Entry<Item> = { item, resolve, reject, timer: undefined };
        if (!accepting() || waiting.length >= maxWaiting) {
          refuse(entry, new CommitError('suspended'), false);
          return;
        }
        entry.timer = setTimeout(expire, timeoutMs, entry);
        waiting.push(entry);
        if (!running) {
          running = true;
          setImmediate(() => void run());
        }
      }),
    resume() {
      suspended = false;
    },
    accepting,
    idle: () => (running ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
  };
}

const endOfTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
