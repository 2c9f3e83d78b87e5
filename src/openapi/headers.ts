const text = (description: string, schema: object = {}) => ({
  description,
  schema: { type: 'string', ...schema },
});

/** `components.headers`: what answers carry (contract section 5). */
export const HEADERS = {
  'request-id': { ...text('Names this request in the logs here.', { format: 'uuid' }), required: true },
  'client-request-id': {
    ...text("The caller's, if it was a GUID, else a new one.", { format: 'uuid' }),
    required: true,
  },
  'RateLimit-Policy': text('The limits, as draft-ietf-httpapi-ratelimit-headers writes them.', {
    pattern: String.raw`^"[a-z]+";q=\d+;w=\d+(, "[a-z]+";q=\d+;w=\d+)*$`,
  }),
  RateLimit: text('Where each limit stands.', {
    pattern: String.raw`^"[a-z]+";r=\d+;t=\d+(, "[a-z]+";r=\d+;t=\d+)*$`,
  }),
  'Retry-After': {
    ...text('Seconds; never earlier than the real reset.', { pattern: String.raw`^[1-9]\d*$` }),
    required: true,
  },
  'WWW-Authenticate': { ...text('RFC 6750 section 3.', { pattern: '^Bearer' }), required: true },
  'Preference-Applied': { ...text('RFC 7240.', { const: 'return=representation' }), required: true },
  'Content-Disposition': {
    ...text('A file name after the profile (RFC 6266).', { pattern: '^attachment; filename=' }),
    required: true,
  },
  'Cache-Control': { ...text('Nothing of this is to be kept.', { const: 'no-store' }), required: true },
  Allow: { ...text('The methods of this path.'), required: true },
};

export type HeaderName = keyof typeof HEADERS;

export const toHeaderRefs = (...names: readonly HeaderName[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** On every answer. */
export const ALWAYS = ['request-id', 'client-request-id'] as const satisfies readonly HeaderName[];
/** On every answer that got as far as the limits. */
export const LIMITS = ['RateLimit-Policy', 'RateLimit'] as const satisfies readonly HeaderName[];

const header = (name: string, description: string, schema: object) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string', ...schema },
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
    schema: { enum: ['androidForWorkEnrollmentProfiles', 'androidDeviceOwnerEnrollmentProfiles'] },
  },
  id: {
    name: 'id',
    in: 'path',
    required: true,
    description: 'The GUID of a profile; `AOSP-` before it may be given or left out.',
    schema: {
      type: 'string',
      pattern: '^([Aa][Oo][Ss][Pp]-)?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$',
    },
    example: 'd0d0d0d0-0000-4000-8000-00000000d0a1',
  },
  'client-request-id': header(
    'client-request-id',
    'Echoed, logged, audited and sent to Graph if it is a GUID.',
    { format: 'uuid' },
  ),
  traceparent: header('traceparent', 'W3C Trace Context; continued in the log.', {}),
  'Idempotency-Key': header(
    'Idempotency-Key',
    'The same key of the same caller on the same route gives the first outcome again for 24 hours.',
    { pattern: '^[!-~]{1,255}$' },
  ),
  Prefer: header('Prefer', '`return=representation` (RFC 7240) asks for the token in the answer.', {}),
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
    'Up to four comparisons joined by `and`: tokenExpirationDateTime (eq, ne, lt, le, gt, ge) and displayName (eq, ne, startswith, contains).',
    { type: 'string' },
    'tokenExpirationDateTime lt 2026-12-24T00:00:00Z',
  ),
  orderby: query(
    '$orderby',
    'By the end of the token.',
    { type: 'string', pattern: '^tokenExpirationDateTime( (asc|desc))?$' },
    'tokenExpirationDateTime desc',
  ),
};

export const toParameterRefs = (...names: readonly (keyof typeof PARAMETERS)[]) =>
  names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
