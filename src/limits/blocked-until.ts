/** Whether requests may go to Graph for a tenant: all, none until a time, or one alone to try. */
export type Entry =
  Readonly<{ kind: 'open' | 'probe' }> | Readonly<{ kind: 'blocked'; retryAfterSeconds: number }>;

/** The one "blocked until" of each tenant, shared by all who call Graph for it. */
export type BlockedUntil = Readonly<{
  /** `probe` is answered once after a block has ended; everyone else waits until that probe is settled. */
  enter: (tenantId: string) => Promise<Entry>;
  /** Graph throttled: blocks for the seconds it named, else for 1, 2, 4 … 60 s with jitter. True if no block was known before. */
  block: (tenantId: string, throttled: Throttled) => Promise<boolean>;
  /** The probe got through: opens. */
  open: (tenantId: string) => Promise<void>;
  /** The probe was not sent after all: the next one who enters is the probe. */
  giveUpProbe: (tenantId: string) => Promise<void>;
}>;

/** The same where only this process knows it: without a question to anyone it can be looked at, and told what others know. */
export type LocalBlockedUntil = BlockedUntil &
  Readonly<{
    /** Milliseconds that the block still lasts; 0 without one. */
    leftMs: (tenantId: string) => number;
    /** There is a block until this time, in milliseconds since the epoch, after so many failures if that is known. */
    learn: (tenantId: string, until: number, failures?: number) => void;
  }>;

export type Throttled = Readonly<{ probe: boolean; retryAfterSeconds?: number }>;

export type BlockedUntilOptions = Readonly<{
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** From 0 (included) to 1. */
  random?: () => number;
  /** After this time a probe that was never settled counts as lost; longer than any request may take. */
  probeMs?: number;
}>;

type Block = Readonly<{ until: number; failures: number; probeUntil: number }>;

/** In this process. */
export function createBlockedUntil({
  now = Date.now,
  random = Math.random,
  probeMs = 30_000,
}: BlockedUntilOptions = {}): LocalBlockedUntil {
  const blocks = new Map<string, Block>();
  return {
    enter: async (tenantId) => {
      const block = blocks.get(tenantId);
      if (block === undefined) return { kind: 'open' };
      if (now() < block.until) return { kind: 'blocked', retryAfterSeconds: toSeconds(block.until - now()) };
      if (now() < block.probeUntil) return { kind: 'blocked', retryAfterSeconds: 1 };
      blocks.set(tenantId, { ...block, probeUntil: now() + probeMs });
      return { kind: 'probe' };
    },
    block: async (tenantId, throttled) => {
      const known = blocks.get(tenantId);
      if (known !== undefined && !throttled.probe) {
        // Sent before the block: no news but a longer time, if it names one.
        const until = Math.max(known.until, now() + (readSeconds(throttled) ?? 0) * 1000);
        blocks.set(tenantId, { ...known, until });
        return false;
      }
      const failures = (known?.failures ?? 0) + 1;
      const seconds = readSeconds(throttled) ?? toBackoffSeconds(failures, random());
      const until = Math.max(known?.until ?? 0, now() + seconds * 1000);
      blocks.set(tenantId, { until, failures, probeUntil: 0 });
      return known === undefined;
    },
    open: async (tenantId) => void blocks.delete(tenantId),
    giveUpProbe: async (tenantId) => {
      const block = blocks.get(tenantId);
      if (block !== undefined) blocks.set(tenantId, { ...block, probeUntil: 0 });
    },
    leftMs: (tenantId) => Math.max(0, (blocks.get(tenantId)?.until ?? 0) - now()),
    learn: (tenantId, until, failures = blocks.get(tenantId)?.failures ?? 1) =>
      void blocks.set(tenantId, { until, failures, probeUntil: 0 }),
  };
}

/** The seconds Graph named, if they are any. */
export function readSeconds({ retryAfterSeconds }: Throttled): number | undefined {
  return retryAfterSeconds !== undefined && retryAfterSeconds > 0 && Number.isFinite(retryAfterSeconds)
    ? retryAfterSeconds
    : undefined;
}

/** 1, 2, 4 … 60 s; from the second on between half of it and all of it, so that replicas do not return together. */
export function toBackoffSeconds(failures: number, random: number): number {
  const seconds = Math.min(2 ** (failures - 1), 60);
  return Math.max(1, seconds / 2 + (random * seconds) / 2);
}

function toSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
