import { z } from 'zod';
import { toFaultCommands } from '../fault/fault-commands.ts';
import type { Faults } from '../fault/faults.ts';
import type { Commands } from '../http/control.ts';
import type { Access } from './access.ts';
import type { GraphJournal } from './journal.ts';
import { SETS } from './profile.ts';
import type { ProfileStore } from './profile-store.ts';

const RoleBody = z.strictObject({ user: z.string(), hasRole: z.boolean() });
const ChallengeBody = z.strictObject({
  user: z.string(),
  claims: z.union([z.null(), z.strictObject({ access_token: z.record(z.string(), z.unknown()) })]),
});
const TokenBody = z.strictObject({
  set: z.enum(SETS),
  id: z.string(),
  tokenValidityInSeconds: z.int32().positive().default(3600),
});

type Options = Readonly<{
  faults: Faults;
  journal: GraphJournal;
  access: Access;
  store: ProfileStore;
  closeIdleConnections: () => void;
}>;

/** What can be asked of the sandbox Graph over HTTP by another process, or by a developer with curl. */
export const toGraphCommands = ({
  faults,
  journal,
  access,
  store,
  closeIdleConnections,
}: Options): Commands => ({
  ...toFaultCommands(faults),
  'GET /sandbox/journal': () => ({ requests: journal.requests, commits: journal.commits }),
  'DELETE /sandbox/journal': () => journal.clear(),
  'POST /sandbox/roles': (body) => {
    const { user, hasRole } = RoleBody.parse(body);
    access.setRole(user, hasRole);
  },
  'POST /sandbox/challenges': (body) => {
    const { user, claims } = ChallengeBody.parse(body);
    access.challenge(user, claims ?? undefined);
  },
  /** A token created by somebody else, as in Intune's portal. */
  'POST /sandbox/foreign-tokens': (body) => {
    const { set, id, tokenValidityInSeconds } = TokenBody.parse(body);
    store.createToken(set, id, tokenValidityInSeconds);
  },
  'POST /sandbox/connections/close': () => closeIdleConnections(),
});
