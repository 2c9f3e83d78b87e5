// The same key again while its outcome is open: whatever fails then, it is never said that nothing was done.
import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import type { RefusalName } from '../../sandbox/entra/refusal.ts';
import type { AuditEvent } from '../../src/audit/record.ts';
import type { IdempotencyRecord } from '../../src/enrollment/idempotency-store.ts';
import { createMemoryIdempotencyStore } from '../../src/enrollment/memory-idempotency-store.ts';
import { createReplay } from '../../src/enrollment/replay.ts';
import { PROBLEMS, ProblemError, type ProblemCode } from '../../src/errors.ts';
import { startSandbox } from '../support/sandbox.ts';
import { startService } from '../support/service.ts';
import { dieNow } from './support/die-now.ts';
import { createActor, readCode } from './support/fault-case.ts';

const sandbox = await startSandbox({ graph: { quota: 'off' } });
after(sandbox.close);
/** Milliseconds for one call: what hangs waits for it, twice within the deadline. */
const TIMEOUT = 3000;
const KEY = { 'idempotency-key': '5f0a' };

const start = (
  t: TestContext,
  options: Readonly<{ auditDirectory?: string; failAudit?: (event: AuditEvent) => boolean }> = {},
) =>
  startService(t, {
    sandbox,
    environment: { UPSTREAM_TIMEOUT_MS: String(TIMEOUT), REQUEST_DEADLINE_MS: '9000' },
    ...options,
  });

const OPEN: IdempotencyRecord = {
  fingerprint: 'asked',
  intent: 'intent',
  requestId: 'first',
  outcome: { result: 'unknown', code: 'outcome_unknown', window: { sentAt: 10, until: 20 } },
};

/** Replays an open record whose settling, or recording, fails. */
async function replayOpen(failure: unknown, appendFails = false) {
  const store = createMemoryIdempotencyStore();
  await store.claim('key', 'asked');
  const append = () => Promise.reject(new ProblemError('audit_unavailable'));
  const replay = createReplay({ store, append });
  const error: unknown = await replay('key', OPEN, async (window) => {
    if (!appendFails) throw failure;
    return { ...window, shownAt: 15 };
  }).then(
    () => assert.fail('it cannot succeed'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ProblemError);
  const claim = await store.claim('key', 'asked');
  return { code: error.code, kept: claim.kind === 'known' ? claim.record.outcome : claim.kind };
}

const isForCaller = (code: ProblemCode): boolean => [401, 403].includes(PROBLEMS[code].status);

for (const code of Object.keys(PROBLEMS).filter((code): code is ProblemCode => code in PROBLEMS)) {
  const answer = isForCaller(code) ? code : 'outcome_unknown';
  test(`an open outcome whose settling ends in ${code}: ${answer}, and it stays open`, async () => {
    assert.deepEqual(await replayOpen(new ProblemError(code)), { code: answer, kept: OPEN.outcome });
  });
}

test('a crash of ours while settling leaves it open, too', async () => {
  const crash = new TypeError('broken');
  assert.deepEqual(await replayOpen(crash), { code: 'outcome_unknown', kept: OPEN.outcome });
});

test('what was seen and cannot be recorded is known, and not called undone', async () => {
  const window = { sentAt: 10, until: 20, shownAt: 15 };
  assert.deepEqual(await replayOpen(undefined, true), {
    code: 'outcome_unrecorded',
    kept: { result: 'unrecorded', window },
  });
});

describe('in the service', () => {
  test('Entra hangs, fails or refuses, then the disk fails: told as what it is, and settled in the end', async (t) => {
    const first = await start(t);
    const actor = await createActor(first, TENANT_ID);
    actor.faults([{ kind: 'reset' }]);
    assert.equal(readCode(await actor.send(KEY)), 'outcome_unknown');
    actor.actLate();

    let disk = 'broken';
    const failAudit = ({ kind }: AuditEvent) => kind === 'settled' && disk === 'broken';
    const second = await start(t, { auditDirectory: await dieNow(t, first), failAudit });
    const ask = async () => readCode(await actor.sendTo(second.url)(KEY));
    sandbox.entra.faults.add({ operation: 'token', kind: 'hang', times: 2 });
    assert.equal(await ask(), 'outcome_unknown');
    sandbox.entra.faults.clear();
    for (const [refusal, code] of [
      ['server_error', 'outcome_unknown'],
      ['throttled', 'outcome_unknown'],
      ['invalid_client', 'outcome_unknown'],
      ['interaction_required', 'claims_challenge'],
      ['not_assigned', 'policy_denied'],
    ] as const satisfies readonly (readonly [RefusalName, string])[]) {
      sandbox.entra.refuse(actor.user.objectId, refusal);
      assert.equal(await ask(), code, refusal);
    }
    sandbox.entra.refuse(actor.user.objectId, undefined);
    // The refusal is remembered for this assertion; a new token of the same user asks anew.
    const token = await sandbox.entra.issueToken({
      user: actor.user,
      tenantId: TENANT_ID,
      scope: 'EnrollmentToken.Create',
    });
    const again = { ...KEY, authorization: `Bearer ${token}` };
    const askAnew = () => actor.sendTo(second.url)(again);
    assert.equal(readCode(await askAnew()), 'outcome_unrecorded');
    assert.equal(readCode(await askAnew()), 'outcome_unrecorded');
    assert.deepEqual(await second.audited('settled'), []);
    disk = 'mended';
    assert.equal((await askAnew()).status, 204);
    assert.equal((await askAnew()).status, 204);
    assert.equal((await second.audited('settled')).length, 1);
    assert.equal(actor.commits(), 1);
  });

  test('an outcome that could not be recorded is not called undone while the disk goes on failing', async (t) => {
    let disk = 'broken';
    const failAudit = ({ kind }: AuditEvent) => kind !== 'intent' && disk === 'broken';
    const service = await start(t, { failAudit });
    const actor = await createActor(service, TENANT_ID);
    for (let time = 0; time < 3; time += 1) {
      const answer = await actor.send(KEY);
      assert.deepEqual([answer.status, readCode(answer)], [500, 'outcome_unrecorded']);
    }
    disk = 'mended';
    assert.equal((await actor.send(KEY)).status, 204);
    assert.equal(actor.commits(), 1);
  });
});
