import { endedBy, type CreationWindow } from './creation-window.ts';
import { toProfileKey, type ProfileWrites } from './profile-writes.ts';
import type { Creation, ReadBack } from './read-back.ts';
import type { WriteContext } from './write-attempt.ts';

/**
 * Looks for a creation of an earlier request with the Graph token of the one who asks again: the window as far as it is known
 * once the creation was seen, else `undefined`. Rejects with a ProblemError when there is no Graph token to look with.
 */
export type SettleCreation = (
  creation: Creation,
  context: WriteContext,
  /** The id of that earlier request. */
  first: string,
) => Promise<CreationWindow | undefined>;

type SettleCreationOptions = Readonly<{ readBack: ReadBack; writes: ProfileWrites; now?: () => number }>;

export const createSettleCreation =
  ({ readBack, writes, now = Date.now }: SettleCreationOptions): SettleCreation =>
  async ({ window, ...creation }, context, first) => {
    const key = toProfileKey(context.caller, creation.profile);
    const asked = endedBy(window, writes.nextStart(key, window.sentAt, first));
    const sighting = await readBack({ ...creation, window: asked }, context);
    if (sighting.kind === 'unreadable' && sighting.problem) throw sighting.problem;
    if (sighting.kind !== 'seen') return undefined;
    const seenAt = now();
    writes.close(key, window.sentAt, seenAt);
    return { ...asked, until: Math.min(asked.until, seenAt), shownAt: sighting.shownAt };
  };
