import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import supertest from 'supertest';
import { z } from 'zod';
import type { Profile } from '../sandbox/graph/profile.ts';
import { startService, type Service } from './support/service.ts';

const SET = 'androidDeviceOwnerEnrollmentProfiles';
const Token = z.strictObject({
  id: z.string(),
  tokenValue: z.string(),
  tokenCreationDateTime: z.string().optional(),
  tokenExpirationDateTime: z.string(),
  qrCodeContent: z.string(),
  qrCodeImage: z.strictObject({ type: z.literal('image/png'), value: z.base64() }),
});
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

const innerCode = (body: unknown): unknown => Object(body).error?.innerError?.code;

/** The service with a token on one profile, changed as a test wants it. */
async function startWithToken(
  t: Parameters<typeof startService>[0],
  options: Parameters<typeof startService>[1] & Readonly<{ profile?: Partial<Profile> }> = {},
) {
  const { profile: changes = {}, ...rest } = options;
  const service = await startService(t, rest);
  const id = service.graph.profiles.deviceOwner;
  const profile = { ...service.graph.store.createToken(SET, id, 3600), ...changes };
  service.graph.store.put(SET, profile);
  const path = `/beta/deviceManagement/${SET}/${id}`;
  return { service, profile, path };
}

const get = async (service: Service, path: string, headers: Record<string, string> = {}) =>
  supertest(service.url)
    .get(path)
    .set(await service.bearer({ scope: 'EnrollmentToken.Create EnrollmentToken.Read' }))
    .set(headers)
    .buffer(true);

describe('GET enrollmentToken', () => {
  test('gives the current token, with records of intent and outcome around the read', async (t) => {
    const key = randomBytes(32);
    const environment = { AUDIT_HMAC_KEY: key.toString('base64') };
    const { service, profile, path } = await startWithToken(t, { environment });
    const response = await get(service, `${path}/enrollmentToken`);
    assert.equal(response.status, 200, response.text);
    const token = Token.parse(response.body);
    assert.equal(token.tokenValue, profile.tokenValue);
    assert.equal(token.tokenExpirationDateTime, profile['tokenExpirationDateTime']);
    assert.equal(token.qrCodeContent, profile['qrCodeContent']);
    assert.deepEqual(token.qrCodeImage, profile['qrCodeImage']);
    assert.equal(response.headers['cache-control'], 'no-store');

    const [intent, outcome] = (await service.audited()).slice(1);
    assert.equal(intent?.['action'], 'enrollmentToken.read');
    assert.deepEqual(Object(intent)['resource'], { set: SET, id: profile.id });
    assert.equal(outcome?.['intent'], intent?.id);
    assert.equal(outcome?.['status'], 200);
    const fingerprint = createHmac('sha256', key).update(profile.tokenValue).digest('hex');
    assert.equal(outcome?.['tokenFingerprint'], fingerprint);
  });

  for (const [failing, answer, reads] of [
    ['intent', [503, 'audit_unavailable'], 0],
    ['outcome', [500, 'outcome_unrecorded'], 2],
  ] as const) {
    test(`SECURITY nothing is read without a recorded intent, nor leaves without a recorded outcome: no ${failing}`, async (t) => {
      const { service, profile, path } = await startWithToken(t, {
        failAudit: (event) => event.kind === failing,
      });
      for (const route of ['enrollmentToken', 'qrCodeImage']) {
        const response = await get(service, `${path}/${route}`);
        assert.deepEqual([response.status, innerCode(response.body)], answer);
        assert.ok(!response.text.includes(profile.tokenValue));
        assert.equal(response.headers['retry-after'], failing === 'intent' ? '5' : undefined);
      }
      assert.equal(service.graph.journal.requests.length, reads);
    });
  }

  test('SECURITY no log, metric or record holds the token or its QR code', async (t) => {
    const { service, profile, path } = await startWithToken(t, {
      environment: { AUDIT_HMAC_KEY: randomBytes(32).toString('base64') },
    });
    await get(service, `${path}/enrollmentToken`);
    await get(service, `${path}/qrCodeImage`);
    const image = z.object({ value: z.string() }).parse(profile['qrCodeImage']).value;
    const written = `${service.logged()}${JSON.stringify(await service.audited())}${await service.metrics.text()}`;
    for (const secret of [profile.tokenValue, image.slice(0, 40)]) assert.ok(!written.includes(secret));
  });

  test('a profile without a token: 404 that says so', async (t) => {
    const service = await startService(t);
    const path = `/beta/deviceManagement/${SET}/${service.graph.profiles.deviceOwner}`;
    for (const rest of ['enrollmentToken', 'qrCodeImage']) {
      const response = await get(service, `${path}/${rest}`);
      assert.deepEqual([response.status, innerCode(response.body)], [404, 'profile_not_found']);
      assert.match(response.text, /has no token/);
    }
    assert.equal((await service.audited('outcome')).at(-1)?.['code'], 'profile_not_found');
  });

  test('an AOSP profile is read by its bare id, whichever form the caller gives; the record holds the bare one', async (t) => {
    const service = await startService(t);
    const { aosp } = service.graph.profiles;
    service.graph.store.createToken(SET, aosp, 3600);
    for (const id of [aosp, `AOSP-${aosp}`, `AOSP-${aosp.toUpperCase()}`]) {
      assert.equal((await get(service, `/beta/deviceManagement/${SET}/${id}/enrollmentToken`)).status, 200);
    }
    for (const intent of await service.audited('intent')) assert.equal(Object(intent['resource']).id, aosp);
  });
});

describe('GET qrCodeImage', () => {
  test('is a PNG, or JSON for who prefers that', async (t) => {
    const { service, profile, path } = await startWithToken(t, {
      profile: { displayName: 'Scanners: Halle 3/Süd' },
    });
    const value = z.object({ value: z.string() }).parse(profile['qrCodeImage']).value;
    for (const accept of [
      'image/png',
      'image/*',
      '*/*',
      'image/png,application/json',
      'text/html, image/avif, */*;q=0.8',
    ]) {
      const { headers, body } = await get(service, `${path}/qrCodeImage`, { accept });
      assert.equal(headers['content-type'], 'image/png', accept);
      assert.deepEqual(Buffer.from(body), Buffer.from(value, 'base64'));
      assert.equal(
        headers['content-disposition'],
        `attachment; filename="Scanners-Halle-3-Sud-qr-code.png"; filename*=UTF-8''Scanners-%20Halle%203-S%C3%BCd-qr-code.png`,
      );
      assert.equal(headers['cache-control'], 'no-store');
      assert.match(headers['vary'] ?? '', /Accept/);
    }
    for (const accept of ['application/json', 'application/json, image/png;q=0.5']) {
      const { headers, body } = await get(service, `${path}/qrCodeImage`, { accept });
      assert.equal(headers['content-type'], 'application/json');
      assert.deepEqual(body, { type: 'image/png', value });
    }
    const refused = await get(service, `${path}/qrCodeImage`, { accept: 'image/webp' });
    assert.deepEqual([refused.status, innerCode(refused.body)], [406, 'not_acceptable']);
    assert.match(refused.headers['vary'] ?? '', /Accept/);
    assert.equal(
      (await get(service, path, { accept: 'image/png' })).status,
      406,
      'there is no picture of a profile',
    );
  });

  for (const [what, qrCodeImage] of [
    ['has no image', null],
    [
      'has an image that is none',
      { type: 'image/png', value: Buffer.from('<script>alert(1)</script>').toString('base64') },
    ],
    ['has an empty image', { type: 'image/png', value: '' }],
  ] as const) {
    test(`is drawn from the content when Graph ${what}`, async (t) => {
      const { service, path } = await startWithToken(t, { profile: { qrCodeImage } });
      const { status, body } = await get(service, `${path}/qrCodeImage`);
      assert.equal(status, 200);
      assert.deepEqual(Buffer.from(body).subarray(0, 8), PNG);
      assert.ok(Buffer.from(body).length > 500);
    });
  }

  test('without image and content there is none: 502, on record as failed', async (t) => {
    const { service, path } = await startWithToken(t, { profile: { qrCodeImage: null, qrCodeContent: '' } });
    const response = await get(service, `${path}/qrCodeImage`);
    assert.deepEqual([response.status, innerCode(response.body)], [502, 'upstream_invalid']);
    assert.equal((await service.audited('outcome')).at(-1)?.['result'], 'failed');
  });
});
