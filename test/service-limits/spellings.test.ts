import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../http/raw-http.ts';
import { startService, type Service } from '../support/service.ts';

const LIMIT = 3;
const BODY = '{"tokenValidityInSeconds":60}';
const SET = 'androidDeviceOwnerEnrollmentProfiles';

type Spelling = Readonly<{ path?: string; headers?: readonly string[]; authorization?: string }>;

/** The statuses of createToken, spelt in each of these ways. */
async function createAll(
  service: Service,
  authorization: string,
  spellings: readonly Spelling[],
): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const {
    path = service.createPath(),
    headers = [],
    authorization: name = 'Authorization',
  } of spellings) {
    const lines = [`${name}: ${authorization}`, 'Content-Type: application/json', ...headers];
    const { status } = await request(
      service.url,
      `POST ${path}`,
      [...lines, `Content-Length: ${BODY.length}`],
      BODY,
    );
    statuses.push(status);
  }
  return statuses;
}

const toExpected = ({ length }: readonly unknown[]): readonly number[] =>
  Array.from({ length }, (_, index) => (index < LIMIT ? 204 : 429));

test('security: however a request is spelt, whatever it claims to be, and whoever it claims to come from, it counts for its user', async (t) => {
  const service = await startService(t, {
    environment: { RATE_LIMIT_USER: `${LIMIT}/3600`, TRUSTED_PROXIES: '127.0.0.1' },
  });
  const { authorization } = await service.bearer();
  const spellings: readonly Spelling[] = [
    {},
    { authorization: 'AUTHORIZATION' },
    { authorization: 'authorization' },
    { path: service.createPath().replace('/beta', '') },
    { headers: ['X-Forwarded-For: 203.0.113.1'] },
    { headers: ['x-forwarded-for: 203.0.113.2', 'X-FORWARDED-FOR: 203.0.113.3'] },
    { headers: ['X-Forwarded-For: 2001:db8:1::1'] },
    { headers: ['X-Forwarded-For: 2001:db8:2::1'] },
    { headers: ['client-request-id: 00000000-0000-4000-8000-000000000001'] },
    { headers: ['X-MS-CLIENT-PRINCIPAL-ID: another', 'X-User: another', 'X-Tenant: another'] },
    { headers: ['Idempotency-Key: one'] },
    { headers: ['Idempotency-Key: two'] },
    { headers: ['Prefer: return=representation'] },
    { headers: ['User-Agent: another'] },
  ];
  assert.deepEqual(await createAll(service, authorization, spellings), toExpected(spellings));
  assert.equal(service.graph.journal.commits.length, LIMIT);

  // Another token of the same user is the same user's.
  const { authorization: another } = await service.bearer();
  assert.notEqual(another, authorization);
  assert.deepEqual(await createAll(service, another, [{}]), [429]);
});

test('security: however the id of a profile is spelt, it has one quota', async (t) => {
  const service = await startService(t, { environment: { RATE_LIMIT_PROFILE: `${LIMIT}/3600` } });
  const { authorization } = await service.bearer();
  const id = service.graph.profiles.aosp;
  const spellings = [id, id.toUpperCase(), `AOSP-${id}`, `AOSP-${id.toUpperCase()}`].flatMap((spelt) => [
    { path: `/beta/deviceManagement/${SET}/${spelt}/createToken` },
    { path: `/deviceManagement/${SET}/${spelt}/createToken` },
  ]);
  assert.deepEqual(await createAll(service, authorization, spellings), toExpected(spellings));
});
