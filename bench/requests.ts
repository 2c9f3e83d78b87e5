import { randomUUID } from 'node:crypto';
import type { IssueToken } from '../sandbox/entra/access-token.ts';

export const PROFILE_SET = 'androidDeviceOwnerEnrollmentProfiles';

/** Creations on one profile run in turns, and Graph's quota allows a profile ten a minute: so load is spread over many. */
const PROFILES = 1000;
const BODY = '{"tokenValidityInSeconds":3600}';
/** Signed at once: signing runs in the thread pool. */
const SIGNED_AT_ONCE = 64;

export const toProfileIds = (): readonly string[] =>
  Array.from(
    { length: PROFILES },
    (_, index) => `5a17d0c5-0000-4000-8000-${String(index).padStart(12, '0')}`,
  );

const PATHS = toProfileIds().map((id) => `/beta/deviceManagement/${PROFILE_SET}/${id}/createToken`);

/** createToken on one of the profiles, as it goes over the wire. */
export const toCreateRequest = (token: string, index: number): string =>
  `POST ${PATHS[index % PROFILES]} HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench\r\nAuthorization: Bearer ${token}\r\n` +
  `Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** Tokens of so many different people. */
export async function issueTokens(issueToken: IssueToken, count: number): Promise<readonly string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const begun = tokens.length;
    const batch = Array.from({ length: Math.min(SIGNED_AT_ONCE, count - begun) }, (_, index) =>
      issueToken({
        user: {
          objectId: randomUUID(),
          userPrincipalName: `user-${begun + index}@sandbox.example`,
          name: `User ${begun + index}`,
        },
        lifetimeSeconds: 3 * 3600,
      }),
    );
    tokens.push(...(await Promise.all(batch)));
  }
  return tokens;
}

/** Each token in turn, for ever. */
export function toEndless(tokens: readonly string[]): () => string {
  let index = 0;
  return () => {
    index += 1;
    return toCreateRequest(tokens[index % tokens.length] ?? '', index);
  };
}

/** Each token once. */
export function toOnce(tokens: readonly string[]): () => string | undefined {
  let index = 0;
  return () => {
    const token = tokens[index];
    index += 1;
    return token === undefined ? undefined : toCreateRequest(token, index);
  };
}

/** The same token with another signature: known to be bad after the first look. */
export const withBadSignature = (token: string): string => {
  const at = token.lastIndexOf('.') + 10;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
};
