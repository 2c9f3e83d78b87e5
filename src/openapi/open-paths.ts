import type { ProblemCode } from '../errors.ts';
import { ALWAYS, LIMITS, REVALIDATED, toHeaderRefs } from './headers.ts';
import type { ProblemResponses } from './problem-responses.ts';

/** Problems of the routes that need no token, behind the limit by address. */
const LIMITED: readonly ProblemCode[] = [
  'rate_limited',
  'internal_error',
  'limiter_unavailable',
  'shutting_down',
];

type OpenRoute = Readonly<{
  operationId: string;
  summary: string;
  headers: object;
  content: object;
  codes: readonly ProblemCode[];
}>;

/** The routes of the public port that need no token. `version`: of the interface, for the example. */
export function createOpenPaths({ toReferences }: ProblemResponses, version: string) {
  const toPath = ({ headers, content, codes, summary, ...route }: OpenRoute) => ({
    get: {
      ...route,
      summary,
      tags: ['service'],
      security: [],
      responses: {
        '200': { description: summary, headers: { ...toHeaderRefs(...ALWAYS), ...headers }, content },
        ...toReferences(codes),
      },
    },
  });

  return {
    // Before the limits, so that a load balancer is never refused.
    '/healthz': toPath({
      operationId: 'getHealth',
      summary: 'The process answers',
      headers: toHeaderRefs('Cache-Control'),
      content: {
        'application/json': { schema: { $ref: '#/components/schemas/Health' }, example: { status: 'ok' } },
      },
      codes: [],
    }),
    '/openapi.json': toPath({
      operationId: 'getDocument',
      summary: 'This document',
      headers: { ...toHeaderRefs(...LIMITS), ...REVALIDATED },
      content: {
        'application/json': {
          schema: { $ref: '#/components/schemas/OpenApiDocument' },
          example: {
            openapi: '3.1.1',
            info: { title: 'enrollment-token-bff', version },
            paths: {},
            components: {},
          },
        },
      },
      codes: LIMITED,
    }),
    '/docs': toPath({
      operationId: 'getPage',
      summary: 'This document, to be read',
      headers: { ...toHeaderRefs(...LIMITS), ...REVALIDATED },
      content: {
        'text/html': { schema: { type: 'string' }, example: '<!doctype html>\n<html lang="en">…</html>\n' },
      },
      codes: ['unknown_route', ...LIMITED],
    }),
  };
}
