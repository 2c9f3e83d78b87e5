import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asksToWrite, readWriter, toLimitKeys } from '../../src/limits/limit-keys.ts';

const CALLER = { tenantId: 'T1', objectId: 'O1', clientId: 'C1' };
const SET = 'androidDeviceOwnerEnrollmentProfiles';

function keyOf(id: string) {
  return toLimitKeys({ caller: CALLER, resource: { set: SET, id }, write: true })[3];
}

describe('toLimitKeys', () => {
  it('names user, calling application, tenant, profile and the budget of Graph', () => {
    const keys = toLimitKeys({ caller: CALLER, resource: { set: SET, id: 'AOSP-ABC' }, write: true });
    assert.deepEqual(keys, [
      { tier: 'user', key: 't1:o1' },
      { tier: 'client', key: 't1:c1' },
      { tier: 'tenant', key: 't1' },
      { tier: 'profile', key: 't1:androiddeviceownerenrollmentprofiles:abc' },
      { tier: 'graph', key: 't1' },
      { tier: 'graph', key: 't1:c1', kind: 'share' },
    ]);
    assert.equal(asksToWrite(keys), true);
  });

  it('security: another spelling of a profile is no second quota', () => {
    for (const id of ['abc', 'ABC', 'AOSP-abc', 'aosp-ABC']) assert.deepEqual(keyOf(id), keyOf('AbC'));
  });

  it('names who asks for a write', () => {
    const writer = { tenant: 't1', application: 't1:c1' };
    assert.deepEqual(readWriter(toLimitKeys({ caller: CALLER, write: true })), writer);
    assert.equal(readWriter(toLimitKeys({ caller: CALLER, write: false })), undefined);
  });

  it('draws a read on the budget for reads, and a list on no profile', () => {
    const keys = toLimitKeys({ caller: CALLER, write: false });
    assert.deepEqual(
      keys.map(({ tier, kind }) => [tier, kind]),
      [
        ['user', undefined],
        ['client', undefined],
        ['tenant', undefined],
        ['graph', 'read'],
      ],
    );
    assert.equal(asksToWrite(keys), false);
  });
});
