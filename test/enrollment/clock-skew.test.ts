import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSkewEstimate } from '../../src/enrollment/clock-skew.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');
const NONE = { least: 0, most: 0 };
/** An answer that took `roundTrip` and was dated in its middle. */
const toAnswer = (at: number, skew: number, roundTrip: number) =>
  [{ date: Math.floor((at + roundTrip / 2 + skew) / 1000) * 1000 }, at, at + roundTrip] as const;

test('many answers tell the clocks apart that one leaves open', () => {
  for (const skew of [-700, -100, 100, 700]) {
    const estimate = createSkewEstimate();
    let known = NONE;
    for (let at = NOON; at < NOON + 3000; at += 17) known = estimate.observe(...toAnswer(at, skew, 10));
    assert.ok(known.least <= skew && known.most >= skew, JSON.stringify(known));
    assert.ok(known.most - known.least < 40, JSON.stringify(known));
    // What has no date of its own is told the same.
    assert.deepEqual(estimate.observe({}, NOON + 3000, NOON + 3010), known);
  }
});

test('the true skew is never left out, unless clocks that may agree are taken to agree', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -3000, max: 3000 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 0, max: 900 })), {
        minLength: 1,
      }),
      (skew, answers) => {
        const estimate = createSkewEstimate();
        let at = NOON;
        for (const [pause, roundTrip] of answers) {
          at += pause;
          const { least, most } = estimate.observe(...toAnswer(at, skew, roundTrip));
          assert.ok((least === 0 && most === 0) || (least <= skew && most >= skew));
          at += roundTrip;
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('a clock that was set is believed at once', () => {
  const estimate = createSkewEstimate();
  for (let at = NOON; at < NOON + 2000; at += 50) estimate.observe(...toAnswer(at, 700, 10));
  const { least, most } = estimate.observe(...toAnswer(NOON + 2000, 5000, 10));
  assert.ok(least <= 5000 && most >= 5000 && least > 3000);
});

test('what is old says nothing any more, after two minutes at the latest', () => {
  const estimate = createSkewEstimate();
  for (let at = NOON; at < NOON + 2000; at += 50) estimate.observe(...toAnswer(at, 700, 10));
  assert.notDeepEqual(estimate.observe({}, NOON + 59_000, NOON + 59_000), NONE);
  assert.notDeepEqual(estimate.observe({}, NOON + 61_000, NOON + 61_000), NONE);
  assert.deepEqual(estimate.observe({}, NOON + 121_000, NOON + 121_000), NONE);
  // Nor what comes from the future: our own clock was set back.
  estimate.observe(...toAnswer(NOON + 200_000, 5000, 10));
  assert.deepEqual(estimate.observe({}, NOON, NOON), NONE);
});
