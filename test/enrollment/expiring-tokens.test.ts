import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test, type TestContext } from 'node:test';
import { createMetrics } from '../../src/admin/metrics.ts';
import { createCountExpiring } from '../../src/enrollment/expiring-tokens.ts';
import { createOwnToken } from '../../src/exchange/own-token.ts';
import { startExpiryWatch } from '../../src/expiry-watch.ts';
import { createGraphClient } from '../../src/graph/graph-client.ts';
import { createLogger } from '../../src/log.ts';
import { createOutbound } from '../../src/outbound.ts';
import { Secret } from '../../src/secret.ts';
import { CLIENT_ID, TENANT_ID } from '../../sandbox/directory.ts';
import { startSandbox } from '../support/sandbox.ts';

const DAY = 24 * 60 * 60;
const DEVICE_OWNER = 'androidDeviceOwnerEnrollmentProfiles';
const FOR_WORK = 'androidForWorkEnrollmentProfiles';

/** Counting against a sandbox Graph with pages of one profile; time passes by waiting alone. */
async function startCounting(t: TestContext) {
  const { entra, graph, ca, close } = await startSandbox({ graph: { pageSize: 1 } });
  t.after(close);
  const outbound = createOutbound({ timeoutMs: 5000, ca: ca.caPem });
  t.after(outbound.close);
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
  const requireTurns = () => {
    for (const [index, at] of readAt.slice(1).entries()) assert.ok(at - (readAt[index] ?? 0) >= 3 * 20_000);
  };
  return { entra, graph, count, readAt, requireTurns };
}

const { signal } = new AbortController();

test('counts the tokens that expire within 14 days, with at most a thousandth of the quota, as the service itself', async (t) => {
  const { entra, graph, count, readAt, requireTurns } = await startCounting(t);
  graph.store.createToken(DEVICE_OWNER, graph.profiles.deviceOwner, 13 * DAY);
  graph.store.createToken(DEVICE_OWNER, graph.profiles.aosp, 15 * DAY);
  assert.deepEqual(await count(signal), { [FOR_WORK]: 0, [DEVICE_OWNER]: 1 });
  assert.deepEqual(await count(signal), { [FOR_WORK]: 0, [DEVICE_OWNER]: 1 });
  assert.equal(readAt.length, 6);
  requireTurns();
  assert.equal(entra.journal.exchanges.length, 1, 'its token is kept');
  for (const { path } of graph.journal.requests) assert.match(path, /\?\$select=id,tokenExpirationDateTime&/);

  graph.faults.add({ kind: 'answer', status: 403, operation: 'list' });
  await assert.rejects(count(signal), { code: 'graph_forbidden' });
});

test('a token that Graph no longer takes is asked for anew, once, and the read waits for its turn', async (t) => {
  const { entra, graph, count, readAt, requireTurns } = await startCounting(t);
  await count(signal);
  graph.faults.add({ kind: 'answer', status: 401, operation: 'list' });
  assert.deepEqual(await count(signal), { [FOR_WORK]: 0, [DEVICE_OWNER]: 0 });
  assert.equal(entra.journal.exchanges.length, 2);
  assert.equal(readAt.length, 7);
  requireTurns();

  graph.faults.add({ kind: 'answer', status: 401, operation: 'list', times: 'always' });
  await assert.rejects(count(signal), { code: 'upstream_failed' });
  assert.equal(entra.journal.exchanges.length, 3);
});

/** Counting where Graph answers each read at once with a page, and every read has its turn when it comes. */
function countPages(t: TestContext, toLink: (page: number) => string | undefined) {
  // A wait keeps no process alive.
  const alive = setInterval(() => undefined, 60_000);
  t.after(() => clearInterval(alive));
  let reads = 0;
  let clock = 0;
  const never = () => Promise.reject(new Error('this is only read'));
  const count = createCountExpiring({
    graph: {
      createToken: never,
      revokeToken: never,
      readProfile: never,
      listProfiles: async () => {
        reads += 1;
        return { status: 200, json: { value: [], '@odata.nextLink': toLink(reads) } };
      },
    },
    readOwnToken: async () => ({ value: new Secret('token'), expiresAt: Number.MAX_SAFE_INTEGER }),
    graphBaseUrl: 'https://graph.example',
    upstreamTimeoutMs: 5000,
    replicas: 1,
    now: () => (clock += 60_000),
  });
  return { count, reads: () => reads };
}

test('a list that does not end is given up', async (t) => {
  const toLink = (page: number) => (page < 200 ? `https://graph.example/beta?$skiptoken=${page}` : undefined);
  const { count, reads } = countPages(t, toLink);
  await assert.rejects(count(signal), /does not end/);
  assert.equal(reads(), 100);
});

test('nothing listens to the stop once a read had its turn, and after the stop nothing is read', async (t) => {
  const { count, reads } = countPages(t, () => undefined);
  const stopping = new AbortController();
  for (let round = 0; round < 20; round += 1) await count(stopping.signal);
  assert.equal(getEventListeners(stopping.signal, 'abort').length, 0);
  assert.equal(reads(), 40);
  stopping.abort();
  await assert.rejects(count(stopping.signal), { name: 'AbortError' });
  assert.equal(reads(), 40);
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
