import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIdentity } from '../../src/caller/claims-policy.ts';
import { parseClaims } from '../../src/caller/claims.ts';
import { claimsText } from './support/forge.ts';
import { AUDIENCES, AUTHORITY, CLIENT, TENANT, V1_ISSUER, V2_ISSUER } from './support/tenant.ts';

const POLICY = {
  api: { clientId: CLIENT, audiences: AUDIENCES, authorityHost: AUTHORITY },
  tenantId: TENANT,
  issuers: { '1.0': V1_ISSUER, '2.0': V2_ISSUER },
  keyIssuer: undefined,
  now: Date.now(),
};
const OTHER = '11111111-2222-4333-8444-555555555555';
const toIdentity = (claims: Readonly<Record<string, unknown>>) =>
  parseIdentity(parseClaims(JSON.parse(claimsText(claims))), POLICY);

test('users of one application with the same scopes share one list, which nobody can change', () => {
  const [anna, bert] = [toIdentity({}), toIdentity({ oid: OTHER })];
  assert.notEqual(anna.objectId, bert.objectId);
  assert.equal(anna.scopes, bert.scopes);
  assert.ok(Object.isFrozen(anna.scopes));
});

test('security: other scopes and another application stay what they are', () => {
  toIdentity({});
  const other = toIdentity({ scp: 'EnrollmentToken.Read', azp: OTHER });
  assert.deepEqual([other.scopes, other.clientId], [['EnrollmentToken.Read'], OTHER]);
  assert.deepEqual(toIdentity({ scp: '' }).scopes, []);
  for (let number = 0; number < 1_000; number += 1) {
    assert.deepEqual(toIdentity({ scp: `Scope.${number}` }).scopes, [`Scope.${number}`]);
  }
  assert.deepEqual(toIdentity({ scp: 'EnrollmentToken.Read' }).scopes, ['EnrollmentToken.Read']);
});
