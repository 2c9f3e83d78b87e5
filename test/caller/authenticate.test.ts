import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthenticate } from '../../src/caller/authenticate.ts';
import { createKeySource } from '../../src/caller/key-source.ts';
import {
  AUDIENCES,
  AUTHORITY,
  CLIENT,
  FRONT_END,
  TENANT,
  USER,
  createFakeEntra,
  createPair,
  sign,
  silentLog,
  toRawHeaders,
  toV1Claims,
  toV2Claims,
} from './support/tenant.ts';

const pair = createPair('key-1');
const keySource = createKeySource({
  authorityHost: AUTHORITY,
  tenantId: TENANT,
  outbound: createFakeEntra([pair]).outbound,
  log: silentLog,
});
const authenticate = createAuthenticate({
  clientId: CLIENT,
  audiences: AUDIENCES,
  authorityHost: AUTHORITY,
  keySources: [keySource],
  log: silentLog,
});

for (const [version, claims] of [
  ['v2.0', toV2Claims()],
  ['v1.0', toV1Claims()],
] as const) {
  test(`a ${version} token becomes its caller`, async () => {
    const token = await sign(pair, claims);
    const caller = await authenticate(toRawHeaders(token));
    assert.deepEqual(
      { ...caller, assertion: caller.assertion.reveal() },
      {
        tenantId: TENANT,
        objectId: USER,
        clientId: FRONT_END,
        userPrincipalName: 'anna@example.com',
        tokenId: 'dXRp',
        scopes: ['EnrollmentToken.Create', 'EnrollmentToken.Read'],
        expiresAt: Number(claims['exp']) * 1_000,
        assertion: token,
      },
    );
  });
}
