// The intent is durable before Graph is asked, the outcome before anything is answered: one test for each way of breaking that.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import type { AppendAudit } from '../../src/audit/record.ts';
import { startSandbox } from '../support/sandbox.ts';
import { startService } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createActor, readCode } from './support/fault-case.ts';

const sandbox = await startSandbox({ graph: { quota: 'off' } });
after(sandbox.close);
const KEY = { 'idempotency-key': 'write-ahead' };

for (const operation of ['createToken', 'revokeToken'] as const) {
  test(`mutant "answers a success that is not on record": ${operation} is 500 then, and its key settles it`, async (t) => {
    let disk = 'broken';
    const service = await startService(t, {
      sandbox,
      failAudit: ({ kind }) => kind === 'outcome' && disk === 'broken',
    });
    const actor = await createActor(service, TENANT_ID, { operation });
    for (const headers of [{}, KEY]) {
      const answer = await actor.send(headers);
      assert.deepEqual([answer.status, readCode(answer)], [500, 'outcome_unrecorded']);
      assert.equal(answer.headers.get('retry-after'), null);
    }
    disk = 'mended';
    for (let time = 0; time < 2; time += 1) assert.equal((await actor.send(KEY)).status, 204);
    assert.equal(actor.commits(), 2, 'one for each request that was no repetition');
    const [, intent] = await service.audited('intent');
    const settled = await service.audited('settled');
    assert.deepEqual(
      settled.map(({ intent: of, result }) => [of, result]),
      [[intent?.id, 'success']],
    );
  });

  test(`${operation}: a refusal that cannot be put on record is told as it is, since nothing was done`, async (t) => {
    const service = await startService(t, { sandbox, failAudit: ({ kind }) => kind === 'outcome' });
    const actor = await createActor(service, TENANT_ID, { operation });
    actor.faults([{ kind: 'answer', status: 403 }]);
    const answer = await actor.send();
    assert.deepEqual([answer.status, readCode(answer)], [403, 'graph_forbidden']);
    assert.equal(actor.commits(), 0);
  });

  test(`mutant "does not wait for the intent": ${operation} reaches Graph only once it is durable`, async (t) => {
    const order: string[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    t.after(() => release());
    let isHeld = false;
    const service = await startService(t, {
      sandbox,
      wrap: {
        append:
          (append): AppendAudit =>
          async (event) => {
            if (event.kind !== 'intent') return append(event);
            isHeld = true;
            await held;
            const record = await append(event);
            order.push('durable');
            return record;
          },
        send: (send) => async (request) => {
          if (request.url.endsWith(operation)) order.push('sent');
          return send(request);
        },
      },
    });
    const actor = await createActor(service, TENANT_ID, { operation });
    const answered = actor.send();
    await waitUntil(() => isHeld);
    // Time enough for a request that does not wait: another user's goes all the way to Entra and Graph meanwhile.
    const reader = await service.bearer({ scope: 'EnrollmentToken.Read' });
    const path = actor.path.slice(0, actor.path.lastIndexOf('/'));
    assert.equal((await fetch(service.url + path, { headers: reader })).status, 200);
    assert.deepEqual(order, []);
    assert.equal(actor.commits(), 0);
    release();
    assert.equal((await answered).status, 204);
    assert.deepEqual(order, ['durable', 'sent']);
  });

  test(`mutant "skips the intent": without it ${operation} is 503, and Graph is not asked`, async (t) => {
    const service = await startService(t, { sandbox, failAudit: ({ kind }) => kind === 'intent' });
    const asked = sandbox.graph.journal.requests.length;
    const actor = await createActor(service, TENANT_ID, { operation });
    for (const headers of [{}, KEY]) {
      const answer = await actor.send(headers);
      assert.deepEqual([answer.status, readCode(answer)], [503, 'audit_unavailable']);
      assert.ok(Number(answer.headers.get('retry-after')) > 0);
    }
    assert.equal(sandbox.graph.journal.requests.length, asked);
    assert.deepEqual(await service.audited('outcome'), []);
  });
}
