import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createProfileWrites } from '../../src/enrollment/profile-writes.ts';

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
