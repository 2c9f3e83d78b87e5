import type { Audited } from './audited.ts';
import type { ProfileRequest } from './intent.ts';
import { toProfileKey } from './profile-writes.ts';
import type { Turns } from './turns.ts';

type Asking = Pick<ProfileRequest, 'caller' | 'profile' | 'requestId' | 'deadline'>;

/** Lets creations on one profile pass one after the other, and whoever looks for an earlier one in between. */
export type CreationTurns = Readonly<{
  /** Who waits past the deadline, or leaves, gets ProblemError `upstream_timeout`: nothing was done for it. */
  create: (request: Asking, create: () => Promise<Audited>) => Promise<Audited>;
  /**
   * Looks for the creation of the request with that id, while none is under way. `isLast`: no other replica is known to have, or
   * may have, created since.
   */
  look: <Result>(
    request: Asking,
    first: string,
    look: (isLast: boolean) => Promise<Result>,
  ) => Promise<Result>;
}>;

/** In this process. What came since is told by its ProfileWrites. */
export const createCreationTurns = (turns: Turns): CreationTurns => ({
  create: ({ caller, profile, deadline }, create) => turns(toProfileKey(caller, profile), deadline, create),
  look: ({ caller, profile, deadline }, _first, look) =>
    turns(toProfileKey(caller, profile), deadline, () => look(true)),
});
