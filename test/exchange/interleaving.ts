// Many users at once through the whole service, in shuffled order, with a delay wherever something is waited for.
// Whose Graph token did Graph see? Run by interleaving.test.ts, whole and with the cache key mutilated.
import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { createDeviceOwnerProfile } from '../../sandbox/graph/profile.ts';
import { startService } from '../support/service.ts';

const USERS = Number(process.env['USERS'] ?? 200);
const REQUESTS = Number(process.env['REQUESTS'] ?? 2000);
/** With a mutilated key a revocation would hit whoever shares the entry, and end the run before it shows whose token was used. */
const ARE_SESSIONS_LOST = process.env['MUTANT'] === undefined;
const AT_ONCE = 64;
const PROFILES = 400;
const SET = 'androidDeviceOwnerEnrollmentProfiles';

/** A delay of 0 to 3 ms, or none at all. */
const pause = async (): Promise<void> => {
  const milliseconds = randomInt(-2, 4);
  if (milliseconds >= 0) await wait(milliseconds);
};

const paused =
  <Input extends readonly unknown[], Output>(run: (...input: Input) => Promise<Output>) =>
  async (...input: Input): Promise<Output> => {
    await pause();
    try {
      return await run(...input);
    } finally {
      await pause();
    }
  };

test(`${REQUESTS} requests of ${USERS} users: each acts for its own user`, async (t) => {
  const service = await startService(t, {
    environment: {
      RATE_LIMIT_ADDRESS: 'off',
      RATE_LIMIT_CLIENT: 'off',
      RATE_LIMIT_TENANT: 'off',
      // Four of these processes share a machine with other tests.
      UPSTREAM_TIMEOUT_MS: '120000',
      REQUEST_DEADLINE_MS: '120000',
      SHUTDOWN_GRACE_MS: '121000',
    },
    wrap: {
      send: paused,
      append: (append) => async (event) => {
        await pause();
        const record = await append(event);
        await pause();
        return record;
      },
    },
    replace: ({ authenticate, enrollment, limiter }) => ({
      authenticate: paused(authenticate),
      limiter: { ...limiter, decide: paused(limiter.decide) },
      enrollment: { ...enrollment, create: paused(enrollment.create) },
    }),
  });
  const { entra, graph } = service;
  const ids = Array.from({ length: PROFILES }, () => randomUUID());
  const seed = { now: Date.now(), canary: '' };
  for (const id of ids)
    graph.store.put(SET, createDeviceOwnerProfile(id, 'P', 'corporateOwnedDedicatedDevice', seed));

  // Every user has two tokens, and some tokens differ in nothing but their claims and signature.
  const callers = await Promise.all(
    Array.from({ length: USERS }, async () => {
      const user = { objectId: randomUUID(), userPrincipalName: 'same@example.com', name: 'Same' };
      const tokens = [await entra.issueToken({ user }), await entra.issueToken({ user })];
      return { user, tokens, underWay: 0, wasRevoked: false };
    }),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  t.after(() => agent.destroy());
  const expected = new Map<string, string>();
  const used = new Set<string>();

  const send = async (): Promise<void> => {
    const caller = callers[randomInt(USERS)];
    assert.ok(caller);
    const token = caller.tokens[randomInt(2)] ?? '';
    used.add(token);
    const clientRequestId = randomUUID();
    expected.set(clientRequestId, caller.user.objectId);
    caller.underWay += 1;
    await new Promise<void>((resolve, reject) => {
      const sending = request(
        `${service.url}/beta/deviceManagement/${SET}/${ids[randomInt(PROFILES)]}/createToken`,
        {
          method: 'POST',
          agent,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'client-request-id': clientRequestId,
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
          response.once('end', () => {
            if (response.statusCode === 204) return resolve();
            const failures = service.logged().match(/^.*"level":"(?:error|warn)".*$/gm) ?? [];
            reject(new Error(`answered ${response.statusCode} ${text} ${failures.slice(-2).join(' ')}`));
          });
        },
      );
      sending.once('error', reject);
      sending.end('{"tokenValidityInSeconds":3600}');
    });
    caller.underWay -= 1;
    // A user now and then loses the session; twice within one request would be a refusal. The first time requests may be under way.
    if (ARE_SESSIONS_LOST && randomInt(200) === 0 && (!caller.wasRevoked || caller.underWay === 0)) {
      caller.wasRevoked = true;
      entra.graphTokens.revokeUser(caller.user.objectId);
    }
  };

  let left = REQUESTS;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left > 0) {
        left -= 1;
        await send();
      }
    }),
  );

  const seenByGraph = new Map(
    graph.journal.commits.map(({ clientRequestId, user, tenantId }) => {
      assert.equal(tenantId, TENANT_ID);
      return [clientRequestId, user];
    }),
  );
  assert.equal(graph.journal.commits.length, REQUESTS);
  const recorded = new Map(
    (await service.audited('intent')).map(({ clientRequestId, actor }) => [
      clientRequestId,
      Reflect.get(Object(actor), 'objectId'),
    ]),
  );
  for (const [id, user] of expected) {
    assert.equal(seenByGraph.get(id), user, 'another user acted at Graph');
    assert.equal(recorded.get(id), user, 'another user is on record');
  }
  assert.equal(expected.size, REQUESTS);
  const exchanges = entra.journal.exchanges.filter(({ status }) => status === 200).length;
  assert.ok(exchanges >= used.size, 'two tokens shared one exchange');
});
