import { toHeaderRefs } from './headers.ts';

/** Probes and metrics are served on a port of their own, and no other route is (contract 3). */
const SERVERS = [
  {
    url: 'http://{host}:{port}',
    description: 'The admin port (`ADMIN_HOST`, `ADMIN_PORT`).',
    variables: { host: { default: '127.0.0.1' }, port: { default: '9090' } },
  },
];

const toAnswer = (description: string, type: string, schema: object, example: unknown) => ({
  description,
  headers: toHeaderRefs('Cache-Control'),
  content: { [type]: { schema, example } },
});

const toProbeAnswer = (description: string, schema: string, example: object) =>
  toAnswer(description, 'application/json', { $ref: `#/components/schemas/${schema}` }, example);

const OK = { status: 'ok' };
const FAILED = toProbeAnswer('The answer could not be made.', 'Failed', { status: 'failed' });

const toPath = (operationId: string, summary: string, responses: object) => ({
  servers: SERVERS,
  get: { operationId, summary, tags: ['operation'], security: [], responses },
});

/** `/livez`, `/readyz`, `/metrics`. */
export const ADMIN_PATHS = {
  '/livez': toPath('getLiveness', 'The process is alive', {
    '200': toProbeAnswer('It is.', 'Health', OK),
  }),
  '/readyz': toPath('getReadiness', 'Requests can be served', {
    '200': toProbeAnswer('They can.', 'Health', OK),
    '500': FAILED,
    '503': toProbeAnswer('They cannot, and why.', 'Unreadiness', {
      status: 'unavailable',
      notReady: ['entra_keys'],
    }),
  }),
  '/metrics': toPath('getMetrics', 'Metrics for Prometheus', {
    '200': toAnswer(
      'Its text exposition format.',
      'text/plain',
      { type: 'string' },
      '# TYPE enrollment_token_bff_http_requests_total counter\nenrollment_token_bff_http_requests_total{operation="createToken",status="204"} 1\n',
    ),
    '500': FAILED,
  }),
};
