const text = (description: string, schema: object = {}) => ({
  description,
  schema: { type: 'string', ...schema },
});

const required = <Described extends object>(header: Described) => ({ ...header, required: true });

const retryAfter = text('Seconds; never earlier than the real reset.', { pattern: String.raw`^[1-9]\d*$` });
const challenge = text('RFC 6750 section 3.', { pattern: '^Bearer' });
const fileName = text('A file name after the profile (RFC 6266).', { pattern: '^attachment; filename=' });

/** `components.headers`: what answers carry (contract section 5). `Optional-…`: where it depends on more than the status. */
export const HEADERS = {
  'request-id': required(text('Names this request in the logs here.', { format: 'uuid' })),
  'client-request-id': required(text("The caller's, if it was a GUID, else a new one.", { format: 'uuid' })),
  Vary: required(
    text('The headers of the request by which the answer differs (RFC 9110 section 12.5.5).', {
      pattern: '^Origin(, Accept)?$',
    }),
  ),
  'RateLimit-Policy': text('The limits, as draft-ietf-httpapi-ratelimit-headers writes them.', {
    pattern: String.raw`^"[a-z]+";q=\d+;w=\d+(, "[a-z]+";q=\d+;w=\d+)*$`,
  }),
  RateLimit: text('Where each limit stands.', {
    pattern: String.raw`^"[a-z]+";r=\d+;t=\d+(, "[a-z]+";r=\d+;t=\d+)*$`,
  }),
  'Retry-After': required(retryAfter),
  'Optional-Retry-After': retryAfter,
  'WWW-Authenticate': required(challenge),
  'Optional-WWW-Authenticate': challenge,
  'Preference-Applied': required(text('RFC 7240.', { const: 'return=representation' })),
  'Optional-Content-Disposition': fileName,
  'Cache-Control': required(text('Nothing of this is to be kept.', { const: 'no-store' })),
  'Revalidated-Cache-Control': required(text('Ask before what was kept is used.', { const: 'no-cache' })),
  Allow: required(text('The methods of this path.')),
};

type OptionalName = 'Retry-After' | 'WWW-Authenticate' | 'Content-Disposition';
export type HeaderName = Exclude<
  keyof typeof HEADERS,
  `Optional-${OptionalName}` | 'Revalidated-Cache-Control'
>;

const toRefs = (names: readonly string[], prefix = '') =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${prefix}${name}` }]));

export const toHeaderRefs = (...names: readonly HeaderName[]) => toRefs(names);
export const toOptionalHeaderRefs = (...names: readonly OptionalName[]) => toRefs(names, 'Optional-');

/** On what may be kept, as long as this service is asked whether it still holds. */
export const REVALIDATED = toRefs(['Cache-Control'], 'Revalidated-');

/** On every answer. */
export const ALWAYS = ['request-id', 'client-request-id', 'Vary'] as const satisfies readonly HeaderName[];
/** On every answer that got as far as the limits. */
export const LIMITS = ['RateLimit-Policy', 'RateLimit'] as const satisfies readonly HeaderName[];
