// A replay behind a restart, where an earlier creation on the profile was open: the late act of that one is never taken for its own.
import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { startSandbox } from '../support/sandbox.ts';
import { startService } from '../support/service.ts';
import { dieNow } from './support/die-now.ts';
import { createActor, readCode, type Actor } from './support/fault-case.ts';

const sandbox = await startSandbox({ graph: { quota: 'off' } });
after(sandbox.close);
const SETS = ['androidForWorkEnrollmentProfiles', 'androidDeviceOwnerEnrollmentProfiles'] as const;
const KEY = { 'idempotency-key': '5f0a' };
const PREFER = { prefer: 'return=representation' };

/** A process in which a first creation was lost and a second one, on the same profile, is `made`; then the next process. */
async function restart(
  t: TestContext,
  set: (typeof SETS)[number],
  make: (first: Actor, second: Actor) => Promise<void>,
) {
  const before = await startService(t, { sandbox });
  const first = await createActor(before, TENANT_ID, { set });
  const second = await createActor(before, TENANT_ID, { set, on: first });
  first.faults([{ kind: 'reset' }]);
  assert.equal(readCode(await first.send()), 'outcome_unknown');
  await make(first, second);
  const service = await startService(t, { sandbox, auditDirectory: await dieNow(t, before) });
  return { first, replay: () => second.sendTo(service.url)({ ...KEY, ...PREFER }) };
}

describe('security: behind a restart', { concurrency: 4 }, () => {
  for (const set of SETS) {
    test(`what was created is not known by the token of an earlier one that acted right behind it: ${set}`, async (t) => {
      const { replay } = await restart(t, set, async (first, second) => {
        assert.equal((await second.send(KEY)).status, 204);
        // At a later millisecond than that of the record, and within the second to which an end is held.
        await wait(10);
        first.actLate();
      });
      assert.equal(readCode(await replay()), 'concurrent_creation');
    });

    test(`what is open is not settled by the late act of an earlier one: ${set}`, async (t) => {
      const { first, replay } = await restart(t, set, async (_first, second) => {
        second.faults([{ kind: 'reset' }]);
        assert.equal(readCode(await second.send(KEY)), 'outcome_unknown');
      });
      first.actLate();
      assert.equal(readCode(await replay()), 'outcome_unknown');
    });
  }

  test('what was created is known by its own token all the same', async (t) => {
    const { replay } = await restart(t, 'androidForWorkEnrollmentProfiles', async (_first, second) => {
      assert.equal((await second.send(KEY)).status, 204);
    });
    assert.equal((await replay()).status, 200);
  });
});
