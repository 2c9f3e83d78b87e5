import assert from 'node:assert/strict';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import supertest from 'supertest';
import { startService, type Service, type ServiceOptions } from './support/service.ts';

const SETS = {
  forWork: 'androidForWorkEnrollmentProfiles',
  deviceOwner: 'androidDeviceOwnerEnrollmentProfiles',
  aosp: 'androidDeviceOwnerEnrollmentProfiles',
} as const;
type Name = keyof typeof SETS;
const PREFER = { prefer: 'return=representation' };
const UNLIMITED: ServiceOptions = {
  environment: { RATE_LIMIT_ADDRESS: 'off', RATE_LIMIT_CLIENT: 'off', RATE_LIMIT_TENANT: 'off' },
};

const innerCode = (body: unknown): unknown => Object(body).error?.innerError?.code;
const tokenOf = (body: unknown): unknown => Object(body).tokenValue;

const create = async (
  service: Service,
  name: Name,
  headers: Record<string, string> = PREFER,
  id?: string,
  seconds = 3600,
) =>
  supertest(service.url)
    .post(`/beta/deviceManagement/${SETS[name]}/${id ?? service.graph.profiles[name]}/createToken`)
    .set(await service.bearer())
    .set(headers)
    .send({ tokenValidityInSeconds: seconds });

/** What somebody else creates in Intune's portal, once Graph was asked for the token. */
const createForeign = (service: Service, name: Name, seconds = 3600) =>
  service.graph.store.createToken(SETS[name], service.graph.profiles[name], seconds);

const sleep = (milliseconds: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/** A service that holds the read behind a creation until `act` has run, at a later millisecond than the creation ended. */
const startActing = (t: TestContext, act: (service: Service) => unknown) => {
  const starting = startService(t, {
    wrap: {
      append: (append) => append,
      send: (send) => async (request) => {
        if (request.method === 'GET' && request.url.includes('/deviceManagement/')) {
          await sleep(10);
          act(await starting);
        }
        return send(request);
      },
    },
  });
  return starting;
};

describe('Prefer: return=representation', () => {
  for (const name of ['forWork', 'deviceOwner', 'aosp'] as const) {
    test(`${name}: creates, and gives the token created; recorded as create and as read`, async (t) => {
      const key = randomBytes(32);
      const service = await startService(t, { environment: { AUDIT_HMAC_KEY: key.toString('base64') } });
      const response = await create(service, name);
      assert.equal(response.status, 200, response.text);
      assert.equal(response.headers['preference-applied'], 'return=representation');
      assert.equal(response.headers['cache-control'], 'no-store');
      const value = service.graph.journal.commits[0]?.tokenValue ?? '';
      assert.equal(tokenOf(response.body), value);

      const records = (await service.audited()).slice(1);
      assert.deepEqual(
        records.map(({ kind, ...rest }) => [kind, rest['action'] ?? rest['status']]),
        [
          ['intent', 'enrollmentToken.create'],
          ['intent', 'enrollmentToken.read'],
          ['outcome', 200],
          ['outcome', 200],
        ],
      );
      const fingerprint = createHmac('sha256', key).update(value).digest('hex');
      for (const outcome of records.slice(2)) assert.equal(outcome['tokenFingerprint'], fingerprint);
    });
  }

  for (const [prefer, status] of [
    ['return=minimal', 204],
    ['return=minimal, return=representation', 204],
    ['respond-async, Return = "representation"; foo=bar', 200],
    ['return=representations', 204],
    ['handling=strict', 204],
  ] as const) {
    test(`${prefer}: ${status}`, async (t) => {
      const service = await startService(t);
      const response = await create(service, 'deviceOwner', { prefer });
      assert.equal(response.status, status, response.text);
      assert.equal(
        response.headers['preference-applied'],
        status === 200 ? 'return=representation' : undefined,
      );
    });
  }

  test("SECURITY somebody else's token that came in between is never given out", async (t) => {
    const service = await startActing(t, (self) => createForeign(self, 'deviceOwner'));
    const response = await create(service, 'deviceOwner');
    assert.deepEqual([response.status, innerCode(response.body)], [409, 'concurrent_creation']);
    const [created, read] = (await service.audited('outcome')).slice(-2);
    assert.deepEqual([created?.['result'], created?.['status']], ['success', 409]);
    assert.deepEqual([read?.['result'], read?.['code']], ['failed', 'concurrent_creation']);
  });

  test('SECURITY on ForWork a token whose expiry does not fit to the second is never given out', async (t) => {
    const service = await startActing(t, (self) => createForeign(self, 'forWork', 3602));
    const response = await create(service, 'forWork');
    assert.deepEqual([response.status, innerCode(response.body)], [409, 'concurrent_creation']);
  });

  test('a token that is revoked meanwhile is not given out either', async (t) => {
    const service = await startActing(t, ({ graph }) =>
      graph.store.revokeToken(SETS.deviceOwner, graph.profiles.deviceOwner),
    );
    const response = await create(service, 'deviceOwner');
    assert.deepEqual([response.status, innerCode(response.body)], [409, 'concurrent_creation']);
  });

  test('what Graph shows late is read again', async (t) => {
    const service = await startService(t);
    service.graph.faults.add({ kind: 'stale', operation: 'get' });
    const response = await create(service, 'deviceOwner');
    assert.equal(response.status, 200, response.text);
    assert.equal(tokenOf(response.body), service.graph.journal.commits[0]?.tokenValue);
  });

  test('a creation whose token cannot be read stands: 204, the preference not applied', async (t) => {
    const service = await startService(t);
    service.graph.faults.add({ kind: 'answer', status: 500, operation: 'get', times: 'always' });
    const response = await create(service, 'deviceOwner');
    assert.deepEqual([response.status, response.headers['preference-applied']], [204, undefined]);
    assert.deepEqual(
      (await service.audited('outcome')).map(({ result }) => result),
      ['success', 'failed'],
    );
  });

  test('a creation seen only by the read-back gives its token', async (t) => {
    const service = await startService(t);
    service.graph.faults.add({ kind: 'reset', when: 'after', operation: 'createToken' });
    const response = await create(service, 'deviceOwner');
    assert.equal(response.status, 200, response.text);
    assert.equal(tokenOf(response.body), service.graph.journal.commits[0]?.tokenValue);
  });

  test('SECURITY the token stays here when its outcome cannot be recorded: 500, not to be repeated', async (t) => {
    const service = await startService(t, {
      failAudit: (event) => event.kind === 'outcome' && event.status === 200,
    });
    const response = await create(service, 'deviceOwner');
    assert.deepEqual([response.status, innerCode(response.body)], [500, 'outcome_unrecorded']);
    assert.ok(!response.text.includes(service.graph.journal.commits[0]?.tokenValue ?? ''));
  });
});

describe('Prefer with an Idempotency-Key', () => {
  test('a repetition creates nothing and reads the token anew', async (t) => {
    const service = await startService(t);
    const headers = { ...PREFER, 'idempotency-key': randomUUID() };
    const first = await create(service, 'deviceOwner', headers);
    const second = await create(service, 'deviceOwner', headers);
    assert.deepEqual([first.status, second.status], [200, 200]);
    assert.equal(tokenOf(second.body), tokenOf(first.body));
    assert.equal(service.graph.journal.commits.length, 1);
    assert.deepEqual(
      (await service.audited('intent')).map(({ action }) => action),
      ['enrollmentToken.create', 'enrollmentToken.read', 'enrollmentToken.read'],
    );
  });

  test('what was created without Prefer can be read by repeating with it', async (t) => {
    const service = await startService(t);
    const key = { 'idempotency-key': randomUUID() };
    assert.equal((await create(service, 'forWork', key)).status, 204);
    assert.equal((await create(service, 'forWork', { ...key, ...PREFER })).status, 200);
    assert.equal(service.graph.journal.commits.length, 1);
  });

  test("SECURITY a repetition does not give a later creation's token", async (t) => {
    const service = await startService(t);
    const headers = { ...PREFER, 'idempotency-key': randomUUID() };
    assert.equal((await create(service, 'deviceOwner', headers)).status, 200);
    await sleep(20);
    createForeign(service, 'deviceOwner');
    const second = await create(service, 'deviceOwner', headers);
    assert.deepEqual([second.status, innerCode(second.body)], [409, 'concurrent_creation']);
  });
});

for (const name of ['forWork', 'deviceOwner'] as const) {
  test(`SECURITY 100 concurrent creations on one profile (${name}): each caller gets its own token or 409`, async (t) => {
    // The last one waits for 99 others; how fast they pass is no question here.
    const patient = { REQUEST_DEADLINE_MS: '120000', SHUTDOWN_GRACE_MS: '130000' };
    const service = await startService(t, { environment: { ...UNLIMITED.environment, ...patient } });
    // Now and then Graph shows the token before, which is another caller's.
    for (const skip of [5, 11, 23]) service.graph.faults.add({ kind: 'stale', operation: 'get', skip });
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const clientRequestId = randomUUID();
        const response = await create(service, name, { ...PREFER, 'client-request-id': clientRequestId });
        return { clientRequestId, response };
      }),
    );
    const struck = service.graph.journal.requests.filter(({ fault }) => fault === 'stale');
    assert.equal(struck.length, 3);
    const statuses = answers.map(({ response }) => response.status);
    assert.ok(
      statuses.every((status) => status === 200 || status === 409),
      statuses.join(' '),
    );
    assert.ok(statuses.filter((status) => status === 200).length >= answers.length / 2);
    for (const { clientRequestId, response } of answers) {
      const own = service.graph.journal.commits.find((commit) => commit.clientRequestId === clientRequestId);
      if (response.status === 200) assert.equal(tokenOf(response.body), own?.tokenValue);
    }
  });
}

describe('AUDIT_FINGERPRINT', () => {
  test('reads every token created, for the record alone', async (t) => {
    const key = randomBytes(32);
    const service = await startService(t, {
      environment: { AUDIT_FINGERPRINT: 'true', AUDIT_HMAC_KEY: key.toString('base64') },
    });
    assert.equal((await create(service, 'deviceOwner', {})).status, 204);
    const value = service.graph.journal.commits[0]?.tokenValue ?? '';
    const [outcome] = await service.audited('outcome');
    assert.equal(outcome?.['tokenFingerprint'], createHmac('sha256', key).update(value).digest('hex'));
    assert.equal((await service.audited('intent')).length, 1);
  });
});

describe('AOSP profiles', () => {
  const paths = (service: Service) =>
    service.graph.journal.requests
      .filter(({ method }) => method === 'POST')
      .map(({ path }) => path.split('/').at(-2));

  test('a creation takes either form of the id, Graph gets the prefix, the record the bare id', async (t) => {
    const service = await startService(t);
    const { aosp } = service.graph.profiles;
    for (const id of [aosp, aosp, `AOSP-${aosp}`, `AOSP-${aosp.toUpperCase()}`]) {
      assert.equal((await create(service, 'aosp', {}, id)).status, 204);
    }
    assert.equal(service.graph.journal.commits.length, 4);
    assert.deepEqual(paths(service), [aosp, ...Array.from({ length: 4 }, () => `AOSP-${aosp}`)]);
    for (const intent of await service.audited('intent')) assert.equal(Object(intent['resource']).id, aosp);
  });

  test('the prefix on a profile that is none is taken off', async (t) => {
    const service = await startService(t);
    const { deviceOwner } = service.graph.profiles;
    assert.equal((await create(service, 'deviceOwner', {}, `AOSP-${deviceOwner}`)).status, 204);
    assert.deepEqual(paths(service), [`AOSP-${deviceOwner}`, deviceOwner]);
  });

  test('a profile that is not there is asked for once', async (t) => {
    const service = await startService(t);
    assert.equal((await create(service, 'deviceOwner', {}, randomUUID())).status, 404);
    assert.equal(paths(service).length, 1);
  });
});
