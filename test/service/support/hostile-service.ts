import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startService, type Service } from '../../support/service.ts';
import { PUBLISHED_KEYS } from '../../caller/support/hostile-tokens.ts';
import { CLIENT, FRONT_END, TENANT, V2_ISSUER } from '../../caller/support/tenant.ts';

/** The service of the tenant that the table of hostile tokens was made for; its Entra publishes the keys of that table. */
export async function startHostileService(t: TestContext): Promise<Service> {
  const start = Date.now();
  // Outlives the service, because the last counts are written when it stops.
  const auditDirectory = await mkdtemp(join(tmpdir(), 'audit-'));
  const service = await startService(t, {
    auditDirectory,
    // Stands still: all that is refused is refused in one minute.
    now: () => start,
    environment: {
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: CLIENT,
      ALLOWED_CLIENT_IDS: FRONT_END,
      RATE_LIMIT_ADDRESS: 'off',
    },
  });
  t.after(() => rm(auditDirectory, { recursive: true, force: true }));
  const { entra } = service;
  const metadata = {
    issuer: V2_ISSUER,
    jwks_uri: `${entra.url}/${TENANT}/discovery/v2.0/keys`,
    cloud_instance_name: 'entra.test',
  };
  entra.keys.setKeys({ keys: PUBLISHED_KEYS });
  entra.faults.add({
    operation: 'metadata',
    kind: 'answer',
    status: 200,
    body: { text: JSON.stringify(metadata) },
    times: 'always',
  });
  return service;
}
