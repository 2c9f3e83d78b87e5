import { LRUCache } from 'lru-cache';
import type { Caller } from '../caller/caller.ts';
import type { Profile } from '../graph/profile.ts';
import { LATE_ACT } from './creation-window.ts';

/** Names a profile among those of all tenants. */
export const toProfileKey = ({ tenantId }: Caller, { set, id }: Profile): string =>
  `${tenantId}/${set}/${id.canonical}`;

/** When this process tried to create tokens on each profile, so that one creation is not taken for another. Milliseconds since the epoch. */
export type ProfileWrites = Readonly<{
  /** To be told of every write that may have acted. `request`: of which request, for one of another replica, whose times are not exact. */
  add: (profile: string, sentAt: number, endedAt: number, request?: string) => void;
  /** The write sent then has not been seen to act, and Graph may still act on it until that time. */
  stayOpen: (profile: string, sentAt: number, until: number) => void;
  /** The write sent then acted before that time, or never will. */
  close: (profile: string, sentAt: number, endedAt: number) => void;
  /** The token of the last write was read: from now on it is known by its times. */
  show: (profile: string, shown: ShownTimes) => void;
  /** The times of the last write's token, unless it was not read. */
  lastShown: (profile: string) => ShownTimes | undefined;
  /** When the last write ended, if one is known. */
  lastEnd: (profile: string) => number | undefined;
  /** Until when Graph may act on a write that ended without an answer, if there is one. */
  openUntil: (profile: string) => number | undefined;
  /**
   * When the first write after this one was sent; no later than it was, where that is not known exactly. `request`: of which request
   * this one is, since it may be known here with other times.
   */
  nextStart: (profile: string, sentAt: number, request?: string) => number | undefined;
}>;

/** A token, as Graph dates it. */
export type ShownTimes = Readonly<{ createdAt: number; expires: string }>;

type Start = Readonly<{ sentAt: number; request: string | undefined }>;

type Writes = Readonly<{
  starts: readonly Start[];
  lastEnd: number;
  /** By when they were sent: until when each may still act. */
  open: ReadonlyMap<number, number>;
  shown?: ShownTimes;
}>;

const NONE: Writes = { starts: [], lastEnd: Number.NEGATIVE_INFINITY, open: new Map() };
const MOST_STARTS = 32;

const toKnown = (time: number): number | undefined => (time === Number.NEGATIVE_INFINITY ? undefined : time);

/** Bounded in profiles and in writes of one profile. What is forgotten makes an older creation unknowable, never wrong. */
export function createProfileWrites({ maxProfiles = 10_000 } = {}): ProfileWrites {
  let forgottenUntil = Number.NEGATIVE_INFINITY;
  let forgottenOpenUntil = Number.NEGATIVE_INFINITY;
  const writes = new LRUCache<string, Writes>({
    max: maxProfiles,
    dispose: ({ lastEnd, open }, _profile, reason) => {
      if (reason !== 'evict') return;
      forgottenUntil = Math.max(forgottenUntil, lastEnd);
      forgottenOpenUntil = Math.max(forgottenOpenUntil, ...open.values());
    },
  });
  const read = (profile: string): Writes => writes.get(profile) ?? NONE;

  return {
    add: (profile, sentAt, lastEnd, request) => {
      const { starts, open } = read(profile);
      if (request !== undefined && starts.some((start) => start.request === request)) return;
      writes.set(profile, { starts: [...starts, { sentAt, request }].slice(-MOST_STARTS), lastEnd, open });
    },
    stayOpen: (profile, sentAt, until) => {
      const { starts, lastEnd, open } = read(profile);
      // Those that are long over concern nobody any more.
      const kept = [...open].filter(([, end]) => end > until - 2 * LATE_ACT);
      writes.set(profile, { starts, lastEnd, open: new Map([...kept, [sentAt, until]]) });
    },
    close: (profile, sentAt, endedAt) => {
      const { starts, lastEnd, open } = read(profile);
      const others = new Map([...open].filter(([start]) => start !== sentAt));
      writes.set(profile, { starts, lastEnd: Math.max(lastEnd, endedAt), open: others });
    },
    show: (profile, shown) => {
      const { starts, lastEnd, open } = read(profile);
      writes.set(profile, { starts, lastEnd, open, shown });
    },
    lastShown: (profile) => read(profile).shown,
    lastEnd: (profile) => toKnown(read(profile).lastEnd),
    openUntil: (profile) => {
      const { open } = read(profile);
      return toKnown(open.size === 0 ? forgottenOpenUntil : Math.max(forgottenOpenUntil, ...open.values()));
    },
    nextStart: (profile, sentAt, request) => {
      const { starts } = read(profile);
      const reachesBack = starts[0] !== undefined && starts[0].sentAt <= sentAt;
      const isComplete = starts.length < MOST_STARTS && sentAt > forgottenUntil;
      if (!reachesBack && !isComplete) return sentAt;
      const isThis = (start: Start) => request !== undefined && start.request === request;
      return starts.find((start) => start.sentAt > sentAt && !isThis(start))?.sentAt;
    },
  };
}
