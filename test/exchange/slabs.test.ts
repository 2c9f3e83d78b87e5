import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createSlabs } from '../../src/exchange/slabs.ts';

test('security: each text stays what it was, whatever was kept before and after it', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '.', '~'), maxLength: 20_000 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 30 }), (texts) => {
      const keep = createSlabs();
      const kept = texts.map((each) => keep(each));
      assert.deepEqual(
        kept.map((bytes) => bytes.toString('latin1')),
        texts,
      );
    }),
    { numRuns: 50 },
  );
});

test('usual tokens share a slab, and none is larger than its text wants', () => {
  const keep = createSlabs();
  const kept = Array.from({ length: 10 }, () => keep('t'.repeat(1_800)));
  assert.equal(new Set(kept.map(({ buffer }) => buffer)).size, 2);
  assert.equal(keep('t'.repeat(100_000)).buffer.byteLength, 100_000);
});
