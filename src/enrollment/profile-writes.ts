import { LRUCache } from 'lru-cache';
import type { Caller } from '../caller/caller.ts';
import type { Profile } from '../graph/profile.ts';

/** Names a profile among those of all tenants. */
export const toProfileKey = ({ tenantId }: Caller, { set, id }: Profile): string =>
  `${tenantId}/${set}/${id.canonical}`;

/** When this process tried to create tokens on each profile, so that one creation is not taken for another. Milliseconds since the epoch. */
export type ProfileWrites = Readonly<{
  /** To be told of every write that may have acted. */
  add: (profile: string, sentAt: number, endedAt: number) => void;
  /** When the last write ended, if one is known. */
  lastEnd: (profile: string) => number | undefined;
  /** When the first write after this one was sent; no later than it was, where that is not known exactly. */
  nextStart: (profile: string, sentAt: number) => number | undefined;
}>;

type Writes = Readonly<{ starts: readonly number[]; lastEnd: number }>;

const MOST_STARTS = 32;

/** Bounded in profiles and in writes of one profile. What is forgotten makes an older creation unknowable, never wrong. */
export function createProfileWrites({ maxProfiles = 10_000 } = {}): ProfileWrites {
  let forgottenUntil = Number.NEGATIVE_INFINITY;
  const writes = new LRUCache<string, Writes>({
    max: maxProfiles,
    dispose: ({ lastEnd }, _profile, reason) => {
      if (reason === 'evict') forgottenUntil = Math.max(forgottenUntil, lastEnd);
    },
  });

  return {
    add: (profile, sentAt, lastEnd) => {
      const starts = [...(writes.get(profile)?.starts ?? []), sentAt].slice(-MOST_STARTS);
      writes.set(profile, { starts, lastEnd });
    },
    lastEnd: (profile) => writes.get(profile)?.lastEnd,
    nextStart: (profile, sentAt) => {
      const { starts = [] } = writes.get(profile) ?? {};
      const reachesBack = starts[0] !== undefined && starts[0] <= sentAt;
      const isComplete = starts.length < MOST_STARTS && sentAt > forgottenUntil;
      return reachesBack || isComplete ? starts.find((start) => start > sentAt) : sentAt;
    },
  };
}
