import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toServiceEnvironment } from '../../sandbox/demo/service-environment.ts';
import { CLIENT_ID, TENANT_ID } from '../../sandbox/directory.ts';

const place = {
  entra: {
    url: 'https://127.0.0.1:1',
    tenantId: TENANT_ID,
    client: { clientId: CLIENT_ID },
    clientSecret: 'secret-of-the-sandbox',
  },
  graphBaseUrl: 'https://127.0.0.1:2',
  caFile: '/sandbox/ca.pem',
  auditDirectory: '/sandbox/audit',
  ports: { PORT: 0, ADMIN_PORT: 0, ENTRA_PORT: 0, GRAPH_PORT: 0 },
};

test('the log tells when the service listens, whatever level the shell asks for', () => {
  const levelFor = (level?: string) => toServiceEnvironment({ LOG_LEVEL: level }, place)['LOG_LEVEL'];
  assert.deepEqual(['error', 'warn', '', undefined, 'info', 'debug'].map(levelFor), [
    'info',
    'info',
    'info',
    'info',
    'info',
    'debug',
  ]);
});
