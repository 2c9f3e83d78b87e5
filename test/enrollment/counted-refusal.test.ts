// What Graph counted costs what a request costs, however a further try of it is refused.
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { toCountedRefusal } from '../../src/enrollment/counted-refusal.ts';
import { ProblemError } from '../../src/errors.ts';
import { readStates } from '../service-limits/support/rate-limit.ts';
import { startSandbox } from '../support/sandbox.ts';
import { startService } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createActor, readCode } from './support/fault-case.ts';

const sandbox = await startSandbox({ graph: { quota: 'off' } });
after(sandbox.close);
const LIMITS = { RATE_LIMIT_USER: '100/3600', RATE_LIMIT_CLIENT: '100/3600', RATE_LIMIT_TENANT: '100/3600' };

const POST = 'POST';
type Call = Readonly<{ method: string; url: string }>;

/** A service that does something `before` a call to Graph and `behind` it. */
const start = (
  t: TestContext,
  { before, behind }: Readonly<Partial<Record<'before' | 'behind', (call: Call) => unknown>>>,
) =>
  startService(t, {
    sandbox,
    environment: LIMITS,
    wrap: {
      append: (append) => append,
      send: (send) => async (request) => {
        if (!request.url.startsWith(sandbox.graph.url)) return send(request);
        await before?.(request);
        try {
          return await send(request);
        } finally {
          await behind?.(request);
        }
      },
    },
  });

const toThrottling = (seconds: number) =>
  ({ kind: 'answer', status: 429, headers: { 'retry-after': String(seconds) } }) as const;

const postsOf = (): number => sandbox.graph.journal.requests.filter(({ method }) => method === POST).length;

test('a write that Graph answered 429 is charged in every tier, though its second try is refused here', async (t) => {
  let sent = 0;
  let isAnswered = false;
  const service = await start(t, {
    before: async () => {
      sent += 1;
      const isFirst = sent === 1;
      // Both are let through before Graph wants a pause; the first waits some seconds then, and finds a longer one.
      await waitUntil(() => sent === 2 && (isFirst || isAnswered));
    },
    behind: () => {
      isAnswered = true;
    },
  });
  const actors = [await createActor(service, TENANT_ID), await createActor(service, TENANT_ID)];
  for (const seconds of [4, 60])
    sandbox.graph.faults.add({ operation: 'createToken', ...toThrottling(seconds) });
  const posted = postsOf();
  const answers = await Promise.all(actors.map((actor) => actor.send()));
  for (const answer of answers) {
    assert.deepEqual([answer.status, readCode(answer)], [503, 'graph_throttled']);
    assert.equal(readStates(answer)['user']?.r, 99, 'Graph has counted it');
  }
  assert.equal(postsOf() - posted, 2);

  const [unsent] = await Promise.all(actors.slice(0, 1).map((actor) => actor.send()));
  assert.ok(unsent);
  assert.equal(readCode(unsent), 'graph_throttled');
  const { user, tenant } = readStates(unsent);
  assert.deepEqual([user?.r, tenant?.r], [99, 98], 'what did not go out costs nothing');
});

for (const [what, calls, request] of [
  ['a write in the other form', 2, { method: POST, path: '/createToken' }],
  ['a read after a lost answer', 1, { method: 'GET', path: '/enrollmentToken' }],
] as const) {
  test(`${what} that is refused costs something: Graph has counted the first`, async (t) => {
    let others = async () => {};
    let seen = 0;
    const service = await start(t, {
      behind: async () => {
        seen += 1;
        if (seen === calls) await others();
      },
    });
    const { aosp } = sandbox.graph.profiles;
    const other = await createActor(service, TENANT_ID);
    other.faults([toThrottling(60)]);
    others = async () => void (await other.send());
    if (request.method === 'GET') sandbox.graph.faults.add({ kind: 'reset', operation: 'get' });
    const path = `/beta/deviceManagement/androidDeviceOwnerEnrollmentProfiles/${aosp}${request.path}`;
    const { method } = request;
    const response = await fetch(service.url + path, {
      method,
      headers: { ...(await service.bearer()), 'content-type': 'application/json' },
      ...(method === POST && { body: '{"tokenValidityInSeconds":3600}' }),
    });
    assert.match(await response.text(), /graph_throttled/);
    assert.equal(readStates(response)['user']?.r, 99);
  });
}

test('the refusal is the same but for its price', () => {
  const cause = new Error('why');
  const refusal = new ProblemError('graph_throttled', 'text', {
    retryAfterSeconds: 3,
    costsNothing: true,
    cause,
  });
  const counted = toCountedRefusal(refusal);
  assert.deepEqual([counted.code, counted.message, counted.status], ['graph_throttled', 'text', 503]);
  assert.deepEqual(counted.options, { retryAfterSeconds: 3, cause });
  assert.equal(toCountedRefusal(counted), counted);
});
