import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import type { FaultInput } from '../../sandbox/fault/fault.ts';
import { startSandbox } from '../support/sandbox.ts';
import { startService } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { dieNow } from './support/die-now.ts';
import { createActor, readCode, readOutcome } from './support/fault-case.ts';

const sandbox = await startSandbox({ graph: { quota: 'off' } });
after(sandbox.close);
const KEY = { 'idempotency-key': '5f0a' };
const PREFER = { prefer: 'return=representation' };
const SETS = ['androidForWorkEnrollmentProfiles', 'androidDeviceOwnerEnrollmentProfiles'] as const;
type SetName = (typeof SETS)[number];

/** Two callers of one profile, the first one's creation lost without a trace; `actLate`: Graph acts on that behind the next write. */
async function startWithOpen(t: TestContext, set: SetName = 'androidDeviceOwnerEnrollmentProfiles') {
  let isLate = false;
  const service = await startService(t, {
    sandbox,
    environment: { REQUEST_DEADLINE_MS: '9000' },
    wrap: {
      append: (append) => append,
      send: (send) => async (request) => {
        try {
          return await send(request);
        } finally {
          if (isLate && request.url.endsWith('/createToken')) {
            isLate = false;
            act();
          }
        }
      },
    },
  });
  const first = await createActor(service, TENANT_ID, { set });
  const second = await createActor(service, TENANT_ID, { set, on: first });
  const [, , , , id = ''] = first.path.split('/');
  const act = () => service.graph.store.createToken(set, id, 3600);
  first.faults([{ kind: 'reset' }]);
  assert.equal(readCode(await first.send(KEY)), 'outcome_unknown');
  const actLate = () => {
    isLate = true;
  };
  return { service, first, second, act, actLate };
}

describe('behind a restart', { concurrency: 4 }, () => {
  for (const set of SETS) {
    for (const died of ['in the middle of it', 'after it was told to be open']) {
      test(`security: what a process left open that died ${died} is open in the next one: its late act proves nothing, ${set}`, async (t) => {
        const before = await startService(t, { sandbox, environment: { UPSTREAM_TIMEOUT_MS: '2500' } });
        const first = await createActor(before, TENANT_ID, { set });
        const isMidway = died === 'in the middle of it';
        first.faults([{ kind: isMidway ? 'hang' : 'reset' }]);
        const lost = first.send();
        const isAsked = () => sandbox.graph.journal.requests.some(({ user }) => user === first.user.objectId);
        if (isMidway) await waitUntil(isAsked);
        else assert.equal(readCode(await lost), 'outcome_unknown');

        const [, , , , id = ''] = first.path.split('/');
        let actLate = () => {};
        const service = await startService(t, {
          sandbox,
          environment: { REQUEST_DEADLINE_MS: '9000' },
          auditDirectory: await dieNow(t, before),
          wrap: {
            append: (append) => append,
            send: (send) => (request) =>
              send(request).finally(() => {
                if (request.url.endsWith('/createToken')) actLate();
              }),
          },
        });
        const second = await createActor(service, TENANT_ID, { set, on: first });
        second.faults([{ kind: 'reset' }]);
        actLate = () => service.graph.store.createToken(set, id, 3600);
        assert.equal(readCode(await second.send({ ...KEY, ...PREFER })), 'outcome_unknown');
        assert.equal(second.commits(), 0);
        // What Graph answers needs no proof, and another profile has nothing to do with it.
        actLate = () => {};
        assert.equal((await second.send(PREFER)).status, 200);
        const elsewhere = await createActor(service, TENANT_ID, { set });
        elsewhere.faults([{ kind: 'reset', when: 'after' }]);
        assert.equal((await elsewhere.send()).status, 204);
        await lost;
      });
    }
  }
});

test('what Graph does between the two looks is seen by the second one', async (t) => {
  let looks = 0;
  const service = await startService(t, {
    sandbox,
    wrap: {
      append: (append) => append,
      send: (send) => async (request) => {
        const answer = await send(request);
        if (request.url.startsWith(sandbox.graph.url) && request.method === 'GET') {
          looks += 1;
          if (looks === 1) actor.actLate();
        }
        return answer;
      },
    },
  });
  const actor = await createActor(service, TENANT_ID);
  actor.faults([{ kind: 'reset' }]);
  assert.equal((await actor.send()).status, 204);
  assert.deepEqual([looks, actor.commits()], [2, 1]);
});

for (const status of [undefined, 500]) {
  test(`security: a token of another validity, created meanwhile, proves nothing: ${status ?? 'lost'}`, async (t) => {
    const set = 'androidDeviceOwnerEnrollmentProfiles';
    const service = await startService(t, {
      sandbox,
      environment: { REQUEST_DEADLINE_MS: '9000' },
      wrap: {
        append: (append) => append,
        send: (send) => async (request) => {
          try {
            return await send(request);
          } finally {
            if (request.url.endsWith('/createToken')) service.graph.store.createToken(set, id, 60);
          }
        },
      },
    });
    const actor = await createActor(service, TENANT_ID, { set });
    const [, , , , id = ''] = actor.path.split('/');
    actor.faults([status === undefined ? { kind: 'reset' } : { kind: 'answer', status }]);
    assert.equal(readCode(await actor.send({ ...KEY, ...PREFER })), 'outcome_unknown');
    assert.equal(readCode(await actor.send({ ...KEY, ...PREFER })), 'outcome_unknown');
  });
}

describe('security: beside an earlier creation that is still open', { concurrency: 4 }, () => {
  for (const set of SETS) {
    for (const [name, fault] of [
      ['lost', { kind: 'reset' }],
      ['500', { kind: 'answer', status: 500 }],
      ['503', { kind: 'answer', status: 503 }],
    ] satisfies readonly (readonly [string, FaultInput])[]) {
      test(`its late act is not taken for the later creation, nor for a proof that there is none: ${name}, ${set}`, async (t) => {
        const { service, first, second, actLate } = await startWithOpen(t, set);
        second.faults([fault]);
        actLate();
        const answer = await second.send({ ...KEY, ...PREFER });
        assert.equal(readCode(answer), 'outcome_unknown');
        assert.equal((await readOutcome(service, answer.clientRequestId)).result, 'unknown');
        assert.equal(readCode(await second.send({ ...KEY, ...PREFER })), 'outcome_unknown');
        assert.equal(readCode(await first.send({ ...KEY, ...PREFER })), 'outcome_unknown');
        assert.equal(second.commits(), 0);
      });
    }
  }

  test('a creation that Graph answers is one', async (t) => {
    const { second, act } = await startWithOpen(t);
    assert.equal((await second.send({ ...KEY, ...PREFER })).status, 200);
    act();
    assert.equal(readCode(await second.send({ ...KEY, ...PREFER })), 'concurrent_creation');
  });

  test('one that certainly came to nothing is still told so', async (t) => {
    const { second } = await startWithOpen(t);
    second.faults([{ kind: 'answer', status: 500 }]);
    assert.equal(readCode(await second.send(KEY)), 'upstream_failed');
  });

  test('once that is settled, a lost one is read back as ever', async (t) => {
    const { first, second, act } = await startWithOpen(t);
    act();
    assert.equal((await first.send(KEY)).status, 204);
    second.faults([{ kind: 'reset', when: 'after' }]);
    assert.equal((await second.send(PREFER)).status, 200);
    assert.equal(second.commits(), 1);
  });
});
