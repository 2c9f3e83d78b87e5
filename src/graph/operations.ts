import { isProfileId, PROFILE_SETS, type ProfileSet } from './profile.ts';

export type OperationName =
  'createToken' | 'revokeToken' | 'listProfiles' | 'getProfile' | 'getEnrollmentToken' | 'getQrCodeImage';

/** One row of the routes this service offers (contract 3). */
export type Operation = Readonly<{
  name: OperationName;
  method: 'GET' | 'POST';
  /** Behind `/deviceManagement/{set}`. */
  path: string;
  /** The scope a caller's token must hold. */
  scope: string;
  /** How the audit journal names it; what neither changes anything nor shows a secret has no name there. */
  action?: 'enrollmentToken.create' | 'enrollmentToken.revoke' | 'enrollmentToken.read';
  /** Whether Graph changes something: counts against the Graph tier's writes. */
  write: boolean;
  /** Whether the request has a JSON body. */
  body: 'validity' | 'none';
  /** Whether it takes the options of a list, or none at all; absent where the query is not looked at. */
  query?: 'list' | 'none';
  /** Whether a PNG is offered beside JSON. */
  image?: true;
}>;

export const OPERATIONS: readonly Operation[] = [
  {
    name: 'createToken',
    method: 'POST',
    path: '/{id}/createToken',
    scope: 'EnrollmentToken.Create',
    action: 'enrollmentToken.create',
    write: true,
    body: 'validity',
  },
  {
    name: 'revokeToken',
    method: 'POST',
    path: '/{id}/revokeToken',
    scope: 'EnrollmentToken.Revoke',
    action: 'enrollmentToken.revoke',
    write: true,
    body: 'none',
  },
  {
    name: 'listProfiles',
    method: 'GET',
    path: '',
    scope: 'EnrollmentToken.Read',
    write: false,
    body: 'none',
    query: 'list',
  },
  {
    name: 'getProfile',
    method: 'GET',
    path: '/{id}',
    scope: 'EnrollmentToken.Read',
    write: false,
    body: 'none',
    query: 'none',
  },
  {
    name: 'getEnrollmentToken',
    method: 'GET',
    path: '/{id}/enrollmentToken',
    scope: 'EnrollmentToken.Create',
    action: 'enrollmentToken.read',
    write: false,
    body: 'none',
    query: 'none',
  },
  {
    name: 'getQrCodeImage',
    method: 'GET',
    path: '/{id}/qrCodeImage',
    scope: 'EnrollmentToken.Create',
    action: 'enrollmentToken.read',
    write: false,
    body: 'none',
    query: 'none',
    image: true,
  },
];

export type Route =
  | Readonly<{ kind: 'operation'; operation: Operation; set: ProfileSet; id: string | undefined }>
  /** The path exists, the method does not. */
  | Readonly<{ kind: 'otherMethod'; allow: readonly string[] }>
  | Readonly<{ kind: 'unknown' }>;

const PREFIX = new RegExp(`^(?:/beta)?/deviceManagement/(${PROFILE_SETS.join('|')})(/.*)?$`);

const TEMPLATES = OPERATIONS.map((operation) => ({
  operation,
  // One whole segment, whatever it holds but a slash in disguise: the id is judged later, after authentication.
  pattern: new RegExp(`^${operation.path.replace('{id}', '((?:(?!%2[fF])[^/])+)')}$`),
}));

/** What answers GET answers HEAD (RFC 9110 section 9.3.2). */
const toMethods = ({ method }: Operation): readonly string[] =>
  method === 'GET' ? ['GET', 'HEAD'] : [method];

const isProfileSet = (name: string | undefined): name is ProfileSet =>
  PROFILE_SETS.some((set) => set === name);

/** Finds the operation of a method and a path (without its query, not decoded). */
export function toRoute(method: string, path: string): Route {
  const prefix = PREFIX.exec(path);
  const set = prefix?.[1];
  if (!prefix || !isProfileSet(set)) return { kind: 'unknown' };
  const rest = prefix[2] ?? '';
  const matches = TEMPLATES.flatMap(({ operation, pattern }) => {
    const match = pattern.exec(rest);
    return match ? [{ operation, id: match[1] }] : [];
  });
  if (matches.length === 0) return { kind: 'unknown' };
  const found = matches.find(({ operation }) => toMethods(operation).includes(method));
  if (found) return { kind: 'operation', set, ...found };
  // Only what could be a path of another method is one.
  if (!matches.some(({ id }) => id === undefined || isProfileId(id))) return { kind: 'unknown' };
  return { kind: 'otherMethod', allow: matches.flatMap(({ operation }) => toMethods(operation)) };
}
