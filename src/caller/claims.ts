import { z } from 'zod';

/** NumericDate (RFC 7519 section 2); Entra writes whole seconds. */
const seconds = z.int().nonnegative();

/** Decides nothing, hence is no reason to refuse a token: of another type it counts as absent. */
const forPeople = z.string().optional().catch(undefined);

/**
 * The claims that are looked at, with the types Entra gives them. Others are ignored (RFC 7519 section 4). None is a list:
 * zod describes each wrong element, so one of thousands would cost milliseconds before any signature was checked.
 */
const schema = z.object({
  iss: z.string(),
  aud: z.string(),
  exp: seconds,
  nbf: seconds.optional(),
  iat: seconds.optional(),
  ver: z.string().optional(),
  tid: z.string().optional(),
  oid: z.string().optional(),
  scp: z.string().optional(),
  azp: z.string().optional(),
  appid: z.string().optional(),
  idtyp: z.string().optional(),
  upn: forPeople,
  preferred_username: forPeople,
  uti: z.string().optional(),
});

/** Claims of the right types, which says nothing yet about who wrote them. */
export type Claims = Readonly<z.infer<typeof schema>>;

/** @throws {TypeError} naming the claim that has another type, never its value. */
export function parseClaims(payload: unknown): Claims {
  const { data, error } = schema.safeParse(payload);
  if (data !== undefined) return data;
  const claim = error.issues[0]?.path[0];
  throw new TypeError(
    claim === undefined
      ? 'its payload is not a JSON object'
      : `its claim "${String(claim)}" is absent or of a wrong type`,
  );
}

/** `scp`: scopes separated by spaces (RFC 8693 section 4.2 writes `scope` so, Entra `scp`). */
export function toScopes(claims: Claims): readonly string[] {
  const scopes = claims.scp?.split(' ') ?? [];
  // As a rule nothing is to be filtered out, and what filter makes has room for sixteen.
  return scopes.includes('') ? scopes.filter((scope) => scope !== '') : scopes;
}
