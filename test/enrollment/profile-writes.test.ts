import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createProfileWrites } from '../../src/enrollment/profile-writes.ts';

test('a write of another replica, whose times are not exact, is no later one than itself', () => {
  const writes = createProfileWrites();
  writes.add('p', 11, 20, 'first');
  writes.add('p', 12, 21, 'first');
  assert.equal(writes.nextStart('p', 10, 'first'), undefined);
  assert.equal(writes.nextStart('p', 10), 11);
  writes.add('p', 30, 40, 'second');
  assert.equal(writes.nextStart('p', 10, 'first'), 30);
});

test('before and after a write', () => {
  const writes = createProfileWrites();
  assert.equal(writes.lastEnd('p'), undefined);
  assert.equal(writes.nextStart('p', 5), undefined);
  for (const start of [10, 20, 30]) writes.add('p', start, start + 5);
  writes.add('other', 12, 13);
  assert.equal(writes.lastEnd('p'), 35);
  assert.equal(writes.nextStart('p', 10), 20);
  assert.equal(writes.nextStart('p', 9), 10, 'one of an earlier process');
  assert.equal(writes.nextStart('p', 30), undefined);
});

test('the token of the last write, and of no other', () => {
  const writes = createProfileWrites();
  assert.equal(writes.lastShown('p'), undefined);
  writes.add('p', 10, 20);
  writes.show('p', { createdAt: 15, expires: 'then' });
  assert.deepEqual(writes.lastShown('p'), { createdAt: 15, expires: 'then' });
  assert.equal(writes.lastShown('other'), undefined);
  assert.equal(writes.lastEnd('p'), 20);
  writes.add('p', 30, 40);
  assert.equal(writes.lastShown('p'), undefined, 'it was not read');
});

test('a write that is open, until it is closed or over', () => {
  const writes = createProfileWrites();
  writes.add('p', 10, 20);
  assert.equal(writes.openUntil('p'), undefined);
  writes.stayOpen('p', 10, 1000);
  writes.add('p', 30, 40);
  writes.stayOpen('p', 30, 900);
  assert.equal(writes.openUntil('p'), 1000);
  assert.equal(writes.openUntil('other'), undefined);
  writes.close('p', 10, 50);
  assert.equal(writes.openUntil('p'), 900);
  assert.equal(writes.lastEnd('p'), 50, 'what acted late ended late');
  assert.equal(writes.nextStart('p', 10), 30);
});

test('a profile that is forgotten leaves what was open on it open', () => {
  const writes = createProfileWrites({ maxProfiles: 1 });
  writes.stayOpen('p', 10, 1000);
  writes.add('other', 20, 30);
  assert.equal(writes.openUntil('p'), 1000);
});

test('whatever is forgotten, a later write is never denied', () => {
  const profile = fc.constantFrom('a', 'b', 'c', 'd');
  fc.assert(
    fc.property(fc.array(profile, { maxLength: 300 }), fc.integer({ min: 0, max: 299 }), (sent, chosen) => {
      const writes = createProfileWrites({ maxProfiles: 2 });
      sent.forEach((name, index) => writes.add(name, 10 * index, 10 * index + 5));
      const name = sent[chosen];
      if (name === undefined) return;
      const truth = sent.findIndex((other, index) => other === name && index > chosen);
      const said = writes.nextStart(name, 10 * chosen);
      if (truth !== -1) assert.ok(said !== undefined && said <= 10 * truth, `${said} > ${10 * truth}`);
    }),
    { numRuns: 2000 },
  );
});
