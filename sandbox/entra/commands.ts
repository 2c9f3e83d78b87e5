import { z } from 'zod';
import { OPERATOR } from '../directory.ts';
import { toFaultCommands } from '../fault/fault-commands.ts';
import type { Faults } from '../fault/faults.ts';
import type { Commands } from '../http/control.ts';
import type { IssueToken } from './access-token.ts';
import type { GraphTokens } from './graph-tokens.ts';
import type { EntraJournal } from './journal.ts';
import { REFUSALS, type Refusal, type RefusalName } from './refusal.ts';
import type { SigningKeys } from './signing-keys.ts';

const RotateBody = z.strictObject({ published: z.boolean().default(true) }).prefault({});
const SwapBody = z.strictObject({ sameKid: z.boolean().default(false) }).prefault({});
const KeysBody = z.strictObject({ jwks: z.unknown() });

const RefusalBody = z.strictObject({
  /** `oid`, or `*` for every user. */
  user: z.string().default('*'),
  refusal: z.union([
    z.null(),
    z
      .string()
      .refine((name): name is RefusalName => name in REFUSALS, `one of ${Object.keys(REFUSALS).join(', ')}`),
  ]),
});

const TokenBody = z
  .strictObject({
    objectId: z.guid().default(OPERATOR.objectId),
    userPrincipalName: z.string().default(OPERATOR.userPrincipalName),
    name: z.string().default(OPERATOR.name),
    version: z.enum(['1.0', '2.0']).default('2.0'),
    scope: z.string().default('EnrollmentToken.Create'),
    lifetimeSeconds: z.int().default(75 * 60),
    claims: z.record(z.string(), z.unknown()).default({}),
  })
  .prefault({});

const RevokeBody = z.strictObject({ user: z.string() });

type Options = Readonly<{
  faults: Faults;
  journal: EntraJournal;
  keys: SigningKeys;
  refuse: (user: string, refusal: RefusalName | Refusal | undefined) => void;
  issueToken: IssueToken;
  graphTokens: GraphTokens;
}>;

/** What can be asked of the sandbox Entra over HTTP by another process, or by a developer with curl. */
export const toEntraCommands = ({
  faults,
  journal,
  keys,
  refuse,
  issueToken,
  graphTokens,
}: Options): Commands => ({
  ...toFaultCommands(faults),
  'GET /sandbox/journal': () => ({ exchanges: journal.exchanges, counts: journal.counts }),
  'DELETE /sandbox/journal': () => journal.clear(),
  'POST /sandbox/keys/rotate': async (body) => ({ kid: await keys.rotate(RotateBody.parse(body)) }),
  'POST /sandbox/keys/publish': () => keys.publish(),
  'POST /sandbox/keys/swap': async (body) => ({ kid: await keys.swapKeys(SwapBody.parse(body)) }),
  'PUT /sandbox/keys': (body) => keys.setKeys(KeysBody.parse(body).jwks),
  'DELETE /sandbox/keys': () => keys.setKeys(undefined),
  'POST /sandbox/refusals': (body) => {
    const { user, refusal } = RefusalBody.parse(body);
    refuse(user, refusal ?? undefined);
  },
  /** Graph knows the tokens of this user no more, as after a revoked session. */
  'POST /sandbox/graph-tokens/revoke': (body) => graphTokens.revokeUser(RevokeBody.parse(body).user),
  'POST /sandbox/tokens': async (body) => {
    const { objectId, userPrincipalName, name, ...rest } = TokenBody.parse(body);
    return { access_token: await issueToken({ user: { objectId, userPrincipalName, name }, ...rest }) };
  },
});
