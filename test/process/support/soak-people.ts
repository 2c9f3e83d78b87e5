import { randomUUID } from 'node:crypto';
import { READER, type User } from '../../../sandbox/directory.ts';
import { createDeviceOwnerProfile } from '../../../sandbox/graph/profile.ts';
import type { Sandbox } from '../../support/sandbox.ts';

export const SET = 'androidDeviceOwnerEnrollmentProfiles';

/** Long enough that each profile has as many creations as are remembered before the measurement begins. */
const PROFILES = 60;
const PEOPLE = 200;
/** As short as Entra's never are: the caches turn over many times, and are as full as they get after five minutes. */
const LIFE_SECONDS = 300;
/** Milliseconds: everybody's are renewed within a third of their life. */
const RENEWED_EVERY = (LIFE_SECONDS * 1000) / 3 / PEOPLE;
const DAY_SECONDS = 86_400;
const SCOPE = 'EnrollmentToken.Create EnrollmentToken.Read EnrollmentToken.Revoke';

export type SoakPeople = Readonly<{
  profiles: readonly string[];
  /** A profile with a token, which nobody writes to. */
  kept: string;
  /** A profile whose token is revoked now and then. */
  revoked: string;
  /** Whose tokens are, in turn, made anew. */
  tokenOf: (person: number) => string;
  /** Asks for more than one may. */
  greedyToken: () => string;
  /** Makes anew what tokens are due to be, those of one person after the other. */
  renew: () => Promise<void>;
  expired: string;
  wrongAudience: string;
  withoutScope: string;
  /** A token of which only the signature is wrong, never the same. */
  forge: () => string;
}>;

const toUser = (index: number): User => ({
  objectId: randomUUID(),
  userPrincipalName: `soak-${index}@sandbox.example`,
  name: `Soak ${index}`,
});

/** A population that stays the same, and whose tokens do not. */
export async function createSoakPeople({ entra, graph }: Sandbox): Promise<SoakPeople> {
  const seed = { now: Date.now(), canary: '' };
  const profiles = Array.from({ length: PROFILES }, () => randomUUID());
  const [kept, revoked] = [randomUUID(), randomUUID()];
  for (const id of [...profiles, kept, revoked]) {
    graph.store.put(SET, createDeviceOwnerProfile(id, 'Soaked', 'corporateOwnedDedicatedDevice', seed));
  }
  graph.store.createToken(SET, kept, DAY_SECONDS);
  const issue = (user: User) => entra.issueToken({ user, scope: SCOPE, lifetimeSeconds: LIFE_SECONDS });
  const users = Array.from({ length: PEOPLE }, (_, index) => toUser(index));
  const greedy = toUser(PEOPLE);
  const tokens = await Promise.all(users.map(issue));
  let greedyToken = await issue(greedy);
  const begin = performance.now();
  let renewed = 0;
  let forged = 0;
  const template = await entra.issueToken({ user: READER, lifetimeSeconds: DAY_SECONDS });

  return {
    profiles,
    kept,
    revoked,
    tokenOf: (person) => tokens[person % PEOPLE] ?? '',
    greedyToken: () => greedyToken,
    renew: async () => {
      const due = Math.min((performance.now() - begin) / RENEWED_EVERY, renewed + PEOPLE);
      while (renewed < Math.floor(due)) {
        const at = renewed % PEOPLE;
        renewed += 1;
        const user = users[at];
        if (user !== undefined) tokens[at] = await issue(user);
        if (at === 0) greedyToken = await issue(greedy);
      }
    },
    expired: await entra.issueToken({ user: READER, lifetimeSeconds: -120 }),
    wrongAudience: await entra.issueToken({ user: READER, audience: randomUUID() }),
    withoutScope: await entra.issueToken({
      user: READER,
      scope: 'Something.Else',
      lifetimeSeconds: DAY_SECONDS,
    }),
    forge: () => {
      forged += 1;
      const signature = template.lastIndexOf('.') + 1;
      const other = Buffer.from(String(forged).padStart(12, '0')).toString('base64url');
      return `${template.slice(0, signature)}${other}${template.slice(signature + other.length)}`;
    },
  };
}
