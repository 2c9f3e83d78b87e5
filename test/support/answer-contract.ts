import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
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

const templates = Object.entries(OPENAPI.paths).map(([path, methods]) => ({
  path,
  methods,
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

/** Answers that come before an operation is found: limits, stops, and what is no route. */
const OUTSIDE_STATUSES = new Set(['404', '405', '429', '500', '503']);

/** The documented operation of a request, with its answers by status. */
export function findDocumented(method: string, path: string) {
  const template = templates.find(({ pattern }) => pattern.test(path));
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

function findResponse(method: string, path: string, status: string): object | undefined {
  const documented = findDocumented(method, path)?.responses[status];
  if (documented) return documented;
  if (!OUTSIDE_STATUSES.has(status)) return undefined;
  return OUTSIDE_RESPONSES[status] ?? findDocumented('GET', '/openapi.json')?.responses[status];
}

function* checkHeaders({ headers }: DocumentedResponse, response: ServerResponse): Generator<string> {
  for (const [name, header] of Object.entries(headers)) {
    const found = '$ref' in header ? Header.parse(Reflect.get(OPENAPI.components.headers, name)) : header;
    const value = response.getHeader(name);
    if (value === undefined) {
      if (found.required === true) yield `the header ${name} is missing`;
    } else if (!toValidate(found.schema)(String(value))) {
      yield `the header ${name} is not as documented: ${String(value)}`;
    }
  }
}

function* checkBody(
  { content }: DocumentedResponse,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): Generator<string> {
  const type = String(response.getHeader('content-type') ?? '').split(';')[0] ?? '';
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
    request.method === 'HEAD' ||
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
export function* checkAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): Generator<string> {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const status = String(response.statusCode);
  if (path.startsWith('/docs/') && response.statusCode === 200) return; // parts of the page
  if (request.method === 'OPTIONS' && status === '204') return; // a preflight is the browser's, not an answer of ours
  // Refused below the API, or when even the answer to an error failed: bare, on purpose.
  if ((status === '400' || status === '500') && body.length === 0 && request.method !== 'HEAD') return;
  const found = findResponse(request.method ?? '', path, status);
  if (!found) {
    yield `${status} is not documented`;
    return;
  }
  const documented = parse(found);
  yield* checkHeaders(documented, response);
  yield* checkBody(documented, request, response, body);
}

export type Watch = Readonly<{ violations: readonly string[]; statuses: ReadonlySet<string> }>;

/** Holds every answer of a server to the OpenAPI document. */
export function watchAnswers(server: Server | HttpsServer): Watch {
  const violations: string[] = [];
  const statuses = new Set<string>();
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    const end = response.end.bind(response);
    const takeEnd = (...args: Parameters<typeof end>) => {
      const [chunk] = args;
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
      return end(...args);
    };
    Object.assign(response, { end: takeEnd });
    response.once('finish', () => {
      const { url = '' } = request;
      const what = `${request.method} ${url.slice(0, 200)} → ${response.statusCode}`;
      const route = findDocumented(request.method ?? '', url.split('?')[0] ?? '')?.route;
      if (route !== undefined && request.method !== 'HEAD') statuses.add(`${route} ${response.statusCode}`);
      for (const violation of checkAnswer(request, response, Buffer.concat(chunks)))
        violations.push(`${what}: ${violation}`);
    });
  });
  return { violations, statuses };
}
