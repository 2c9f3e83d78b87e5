import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../src/admin/metrics.ts';
import { createCountExpiring } from '../../src/enrollment/expiring-tokens.ts';
import { createOwnToken } from '../../src/exchange/own-token.ts';
import { startExpiryWatch } from '../../src/expiry-watch.ts';
import { createGraphClient } from '../../src/graph/graph-client.ts';
import { createLogger } from '../../src/log.ts';
import { createOutbound } from '../../src/outbound.ts';
import { CLIENT_ID, TENANT_ID } from '../../sandbox/directory.ts';
import { startSandbox } from '../support/sandbox.ts';

const DAY = 24 * 60 * 60;
const DEVICE_OWNER = 'androidDeviceOwnerEnrollmentProfiles';
const FOR_WORK = 'androidForWorkEnrollmentProfiles';

test('counts the tokens that expire within 14 days, with at most a thousandth of the quota, as the service itself', async (t) => {
  const { entra, graph, ca, close } = await startSandbox({ graph: { pageSize: 1 } });
  t.after(close);
  const outbound = createOutbound({ timeoutMs: 5000, ca: ca.caPem });
  t.after(outbound.close);
  graph.store.createToken(DEVICE_OWNER, graph.profiles.deviceOwner, 13 * DAY);
  graph.store.createToken(DEVICE_OWNER, graph.profiles.aosp, 15 * DAY);

  let clock = Date.now();
  const readAt: number[] = [];
  const options = { send: outbound.send, authorityHost: entra.url, graphBaseUrl: graph.url };
  const count = createCountExpiring({
    graph: createGraphClient(options),
    readOwnToken: createOwnToken({
      ...options,
      tenantId: TENANT_ID,
      clientId: CLIENT_ID,
      credential: async () => ({ fields: { client_secret: entra.clientSecret }, origin: undefined }),
    }),
    graphBaseUrl: graph.url,
    upstreamTimeoutMs: 5000,
    replicas: 3,
    now: () => clock,
    wait: async (milliseconds) => {
      clock += milliseconds;
      readAt.push(clock);
    },
  });

  const { signal } = new AbortController();
  assert.deepEqual(await count(signal), { [FOR_WORK]: 0, [DEVICE_OWNER]: 1 });
  assert.deepEqual(await count(signal), { [FOR_WORK]: 0, [DEVICE_OWNER]: 1 });
  assert.equal(readAt.length, 6);
  for (const [index, at] of readAt.slice(1).entries()) assert.ok(at - (readAt[index] ?? 0) >= 3 * 20_000);
  assert.equal(entra.journal.exchanges.length, 1, 'its token is kept');
  for (const { path } of graph.journal.requests) assert.match(path, /\?\$select=id,tokenExpirationDateTime&/);

  graph.faults.add({ kind: 'answer', status: 403, operation: 'list' });
  await assert.rejects(count(signal), { code: 'graph_forbidden' });
});

test('the metric is absent until there is a number, and keeps the last one when Graph fails', async (t) => {
  const metrics = createMetrics();
  assert.ok(!(await metrics.text()).includes('tokens_expiring'));
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', write: (line) => lines.push(line) });
  /** A round takes microtasks only. */
  const afterRound = () =>
    new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  t.mock.timers.enable({ apis: ['setInterval'] });
  let round = 0;
  const watch = startExpiryWatch({
    intervalSeconds: 60,
    metrics,
    log,
    count: async () => {
      round += 1;
      if (round === 2) throw new Error('Graph does not tell');
      return { [FOR_WORK]: 2, [DEVICE_OWNER]: 7 };
    },
  });
  await afterRound();
  assert.match(await metrics.text(), /tokens_expiring\{set="androidDeviceOwnerEnrollmentProfiles"\} 7/);
  t.mock.timers.tick(60_000);
  await afterRound();
  assert.match(await metrics.text(), /tokens_expiring\{set="androidForWorkEnrollmentProfiles"\} 2/);
  assert.match(lines.join(''), /could not be counted/);
  watch.stop();
  t.mock.timers.tick(600_000);
  assert.equal(round, 2);
});
