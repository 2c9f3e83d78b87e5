import { DAEMON, OPERATOR, READER, type User } from '../directory.ts';
import type { Entra } from '../entra.ts';
import { createDeviceOwnerProfile, type Profile } from '../graph/profile.ts';

/** Long enough that a `curl` line pasted in the evening still works. Entra's own last 60 to 90 minutes. */
const LIFETIME_SECONDS = 24 * 60 * 60;

/** Who creates the first token: apart from the others, whose limits stay untouched. */
export const DEMO_USER: User = {
  objectId: '5a17d0c5-0000-4000-8000-0000000000a0',
  userPrincipalName: 'dana.demo@sandbox.example',
  name: 'Dana Demo',
};

/** The profile on which the first token is created, for the same reason. */
export const createDemoProfile = (now: number): Profile =>
  createDeviceOwnerProfile(
    'deb0deb0-0000-4000-8000-0000000deb00',
    'Reception tablets',
    'corporateOwnedDedicatedDevice',
    {
      now,
      canary: '',
    },
  );

export type Tokens = Readonly<Record<'operator' | 'reader' | 'appOnly' | 'demo', string>>;

/** One token for each of those whom the service has to tell apart. */
export async function issueTokens({ issueToken }: Pick<Entra, 'issueToken'>): Promise<Tokens> {
  const lifetimeSeconds = LIFETIME_SECONDS;
  const everything = 'EnrollmentToken.Create EnrollmentToken.Read EnrollmentToken.Revoke';
  return {
    operator: await issueToken({ user: OPERATOR, scope: everything, lifetimeSeconds }),
    reader: await issueToken({ user: READER, scope: 'EnrollmentToken.Read', lifetimeSeconds }),
    appOnly: await issueToken({ user: DAEMON, roles: ['EnrollmentToken.Create.All'], lifetimeSeconds }),
    demo: await issueToken({ user: DEMO_USER, scope: 'EnrollmentToken.Create', lifetimeSeconds }),
  };
}
