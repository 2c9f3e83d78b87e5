import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toIdentity } from './support/identity.ts';

const OTHER = '11111111-2222-4333-8444-555555555555';

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
