import { PROFILE_ID, PROFILE_SETS } from '../graph/profile.ts';

const header = (name: string, description: string, schema: object, example: string) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string', ...schema },
  example,
});

const query = (name: string, description: string, schema: object, example: unknown) => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
  example,
});

/** `components.parameters`. */
export const PARAMETERS = {
  set: {
    name: 'set',
    in: 'path',
    required: true,
    description: 'Which kind of profile.',
    schema: { type: 'string', enum: PROFILE_SETS },
    example: 'androidDeviceOwnerEnrollmentProfiles',
  },
  id: {
    name: 'id',
    in: 'path',
    required: true,
    description: 'The GUID of a profile; `AOSP-` before it may be given or left out.',
    schema: { type: 'string', pattern: PROFILE_ID.source },
    example: 'd0d0d0d0-0000-4000-8000-00000000d0a1',
  },
  'client-request-id': header(
    'client-request-id',
    'Echoed, logged, audited and sent to Graph if it is a GUID.',
    { format: 'uuid' },
    '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  ),
  traceparent: header(
    'traceparent',
    'W3C Trace Context; continued in the log.',
    {},
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ),
  'Idempotency-Key': header(
    'Idempotency-Key',
    'The same key of the same caller on the same route gives the first outcome again for 24 hours.',
    { pattern: '^[!-~]{1,255}$' },
    '0f8fad5b-d9cb-469f-a165-70867728950e',
  ),
  Prefer: header(
    'Prefer',
    '`return=representation` (RFC 7240) asks for the token in the answer.',
    {},
    'return=representation',
  ),
  top: query('$top', 'Profiles on a page.', { type: 'integer', minimum: 1, maximum: 999 }, 20),
  skip: query('$skip', 'Profiles to pass over.', { type: 'integer', minimum: 0, maximum: 1_000_000 }, 0),
  skiptoken: query(
    '$skiptoken',
    'From `@odata.nextLink`, as it is.',
    { type: 'string', minLength: 1, maxLength: 4096 },
    'abc',
  ),
  filter: query(
    '$filter',
    'Up to four comparisons joined by `and`: tokenExpirationDateTime (eq, ne, lt, le, gt, ge; a moment in UTC) and displayName (eq, ne, startswith, contains). These words and the names of the options in any case.',
    { type: 'string' },
    'tokenExpirationDateTime lt 2026-12-24T00:00:00Z',
  ),
  orderby: query(
    '$orderby',
    'By the end of the token.',
    { type: 'string', pattern: '^tokenExpirationDateTime( ([Aa][Ss][Cc]|[Dd][Ee][Ss][Cc]))?$' },
    'tokenExpirationDateTime desc',
  ),
};

export const toParameterRefs = (...names: readonly (keyof typeof PARAMETERS)[]) =>
  names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
