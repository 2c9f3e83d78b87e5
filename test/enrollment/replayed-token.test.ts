import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { z } from 'zod';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { startSandbox } from '../support/sandbox.ts';
import { startService } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createActor, readCode, type Answer } from './support/fault-case.ts';

const sandbox = await startSandbox({ graph: { quota: 'off' } });
after(sandbox.close);
const KEY = { 'idempotency-key': '5f0a' };
const PREFER = { prefer: 'return=representation' };
const SETS = ['androidForWorkEnrollmentProfiles', 'androidDeviceOwnerEnrollmentProfiles'] as const;

const start = (t: TestContext) =>
  startService(t, {
    sandbox,
    environment: { REQUEST_DEADLINE_MS: '9000' },
  });

const TokenBody = z.object({ tokenValue: z.string() });
const readToken = ({ status, text }: Answer): string => {
  assert.equal(status, 200, text);
  return TokenBody.parse(JSON.parse(text)).tokenValue;
};

/** The values of the tokens that a user created, oldest first. */
const createdBy = ({ objectId }: Readonly<{ objectId: string }>) =>
  sandbox.graph.journal.commits.filter(({ user }) => user === objectId).map(({ tokenValue }) => tokenValue);

describe('a replay with Prefer', { concurrency: 4 }, () => {
  for (const set of SETS) {
    test(`gives the token of its own creation, and no later one: ${set}`, async (t) => {
      const service = await start(t);
      const actor = await createActor(service, TENANT_ID, { set });
      assert.equal((await actor.send(KEY)).status, 204);
      assert.equal(readToken(await actor.send({ ...KEY, ...PREFER })), createdBy(actor.user)[0]);

      // At once, so that on ForWork its end fits to the second.
      const other = await createActor(service, TENANT_ID, { set, on: actor });
      assert.equal(readToken(await other.send(PREFER)), createdBy(other.user)[0]);
      assert.equal(readCode(await actor.send({ ...KEY, ...PREFER })), 'concurrent_creation');
      assert.equal((await actor.send(KEY)).status, 204);
    });

    test(`security: after an outcome that was settled, the same; also beside the portal: ${set}`, async (t) => {
      const service = await start(t);
      const actor = await createActor(service, TENANT_ID, { set });
      actor.faults([{ kind: 'reset' }]);
      assert.equal(readCode(await actor.send(KEY)), 'outcome_unknown');
      actor.actLate();
      assert.equal(readToken(await actor.send({ ...KEY, ...PREFER })), createdBy(actor.user)[0]);
      assert.equal(readToken(await actor.send({ ...KEY, ...PREFER })), createdBy(actor.user)[0]);

      const [, , , , id = ''] = actor.path.split('/');
      service.graph.store.createToken(set, id, 3600);
      assert.equal(readCode(await actor.send({ ...KEY, ...PREFER })), 'concurrent_creation');
      const other = await createActor(service, TENANT_ID, { set, on: actor });
      assert.equal((await other.send()).status, 204);
      assert.equal(readCode(await actor.send({ ...KEY, ...PREFER })), 'concurrent_creation');
    });
  }

  test('security: it does not read while another creation is under way', async (t) => {
    const service = await start(t);
    const set = 'androidForWorkEnrollmentProfiles';
    const actor = await createActor(service, TENANT_ID, { set });
    const other = await createActor(service, TENANT_ID, { set, on: actor });
    assert.equal((await actor.send(KEY)).status, 204);
    other.faults([{ kind: 'delay', when: 'after', ms: 600 }]);
    const creating = other.send();
    await waitUntil(() => other.commits() === 1);
    assert.equal(readCode(await actor.send({ ...KEY, ...PREFER })), 'concurrent_creation');
    assert.equal((await creating).status, 204);
  });
});
