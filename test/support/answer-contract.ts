import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';
import { PROFILE_SETS } from '../../src/graph/profile.ts';
import { OPENAPI, OUTSIDE_RESPONSES } from '../../src/openapi/document.ts';

const Ref = z.object({ $ref: z.string() });
const Header = z.object({ required: z.boolean().optional(), schema: z.record(z.string(), z.unknown()) });
const Response = z.object({
  headers: z.record(z.string(), z.union([Ref, Header])).default({}),
  content: z.record(z.string(), z.object({ schema: z.unknown().optional() })).optional(),
});
type DocumentedResponse = z.infer<typeof Response>;

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema({ $id: 'openapi', components: OPENAPI.components });

const compiled = new WeakMap<object, ValidateFunction>();
function toValidate(schema: object): ValidateFunction {
  const known = compiled.get(schema);
  if (known) return known;
  const text = JSON.stringify(schema).replaceAll('"#/components', '"openapi#/components');
  const validate = ajv.compile(JSON.parse(text));
  compiled.set(schema, validate);
  return validate;
}

export type Listener = 'public' | 'admin';

/** An answer as it went out, or as a client saw it. */
export type AskedAnswer = Readonly<{
  listener?: Listener;
  method: string;
  /** Path and query. */
  target: string;
  status: number;
  /** By name, in lower case. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}>;

/** What no operation has to document: HTTP's own, helmet's (the same on every answer), and those for browsers of other origins. */
const UNTOLD = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'content-security-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'origin-agent-cluster',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-dns-prefetch-control',
  'x-download-options',
  'x-frame-options',
  'x-permitted-cross-domain-policies',
  'x-xss-protection',
  'access-control-allow-origin',
  'access-control-expose-headers',
]);

const templates = Object.entries(OPENAPI.paths).map(([path, methods]) => ({
  path,
  methods,
  listener: 'servers' in methods ? 'admin' : 'public',
  pattern: new RegExp(
    `^${path
      .replace('/beta', '(?:/beta)?')
      .replace('{set}', `(?:${PROFILE_SETS.join('|')})`)
      .replaceAll('{id}', '(?:(?!%2[fF])[^/])+')}$`,
  ),
}));

const parsed = new Map<object, DocumentedResponse>();
function parse(response: object): DocumentedResponse {
  const reference = Ref.safeParse(response).data?.$ref.split('/').at(-1);
  if (reference !== undefined) return parse(z.looseObject({}).parse(OPENAPI.components.responses[reference]));
  const known = parsed.get(response) ?? Response.parse(response);
  parsed.set(response, known);
  return known;
}

/** What may be answered where no operation is found: limits, stops, and what is no route. */
const OUTSIDE_STATUSES = new Set(['404', '405', '429', '500', '503']);

const toPath = (target: string): string => target.split('?', 1)[0] ?? '';

/** The documented operation of a request, with its answers by status. */
export function findDocumented(method: string, target: string, listener: Listener = 'public') {
  const path = toPath(target);
  const template = templates.find((known) => known.listener === listener && known.pattern.test(path));
  const asked = method === 'HEAD' ? 'get' : method.toLowerCase();
  const operation: unknown = template && Reflect.get(template.methods, asked);
  const responses: unknown = operation === undefined ? undefined : Object(operation).responses;
  return template && responses !== undefined
    ? {
        route: `${asked} ${template.path}`,
        responses: z.record(z.string(), z.looseObject({})).parse(responses),
      }
    : undefined;
}

/** A documented operation documents all that it can be answered with, and an undocumented one can be answered from outside only. */
function findResponse({ method, target, listener }: AskedAnswer, status: string): object | undefined {
  const documented = findDocumented(method, target, listener);
  if (documented) return documented.responses[status];
  if (listener === 'admin' || !OUTSIDE_STATUSES.has(status)) return undefined;
  return OUTSIDE_RESPONSES[status] ?? findDocumented('GET', '/openapi.json')?.responses[status];
}

function toHeader(header: z.infer<typeof Ref> | z.infer<typeof Header>): z.infer<typeof Header> {
  if (!('$ref' in header)) return header;
  return Header.parse(Reflect.get(OPENAPI.components.headers, header.$ref.split('/').at(-1) ?? ''));
}

function* checkHeaders(
  { headers: documented }: DocumentedResponse,
  { headers }: AskedAnswer,
): Generator<string> {
  for (const [name, header] of Object.entries(documented)) {
    const { required, schema } = toHeader(header);
    const value = headers[name.toLowerCase()];
    if (value === undefined) {
      if (required === true) yield `the header ${name} is missing`;
      continue;
    }
    const isValid: boolean = toValidate(schema)(value);
    if (!isValid) {
      yield `the header ${name} is not as documented: ${value}`;
    }
  }
  const told = new Set(Object.keys(documented).map((name) => name.toLowerCase()));
  for (const name of Object.keys(headers)) {
    if (!told.has(name) && !UNTOLD.has(name)) yield `the header ${name} is not documented`;
  }
}

function* checkBody(
  { content }: DocumentedResponse,
  { method, headers, body }: AskedAnswer,
): Generator<string> {
  const type = (headers['content-type'] ?? '').split(';')[0] ?? '';
  if (!content) {
    if (body.length > 0) yield 'there is a body where none is documented';
    return;
  }
  const media = content[type];
  if (!media) {
    yield `the media type ${type} is not documented`;
    return;
  }
  if (
    method === 'HEAD' ||
    !type.endsWith('json') ||
    typeof media.schema !== 'object' ||
    media.schema === null
  )
    return;
  const validate = toValidate(media.schema);
  if (!validate(JSON.parse(body.toString())))
    yield `the body is not as documented: ${ajv.errorsText(validate.errors)}`;
}

/** What is wrong with an answer, by the OpenAPI document. */
export function* checkAnswer(answer: AskedAnswer): Generator<string> {
  const { method, target, headers, body, listener } = answer;
  const status = String(answer.status);
  if (target.startsWith('/docs/') && status === '200') return; // parts of the page
  if (method === 'OPTIONS' && status === '204') return; // a preflight is the browser's, not an answer of ours
  // Refused below the API, or when even the answer to an error failed: bare, on purpose.
  const isBare = body.length === 0 && headers['content-type'] === undefined && method !== 'HEAD';
  if ((status === '400' || status === '500') && isBare) return;
  // What is no probe is told so, and nobody who reads the document asks.
  if (listener === 'admin' && !findDocumented(method, target, listener)) return;
  const found = findResponse(answer, status);
  if (!found) {
    yield `${status} is not documented`;
    return;
  }
  const documented = parse(found);
  yield* checkHeaders(documented, answer);
  yield* checkBody(documented, answer);
}
