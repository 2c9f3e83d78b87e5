import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ticksToWait, toPace, toRemaining, toSeconds, toTicks } from '../../src/limits/gcra.ts';
import { toLine, withCharge, type Line } from '../../src/limits/line.ts';
import { createReferenceTier } from './gcra-reference.ts';

const NOW = Date.UTC(2026, 10, 24);

describe('toPace', () => {
  it('divides a millisecond just finely enough for a whole interval', () => {
    assert.deepEqual(toPace({ count: 30, seconds: 60 }), { ticksPerMs: 1, interval: 2000, window: 60_000 });
    assert.deepEqual(toPace({ count: 7, seconds: 60 }), { ticksPerMs: 7, interval: 60_000, window: 420_000 });
    assert.deepEqual(toPace({ count: 3000, seconds: 2 }), { ticksPerMs: 3, interval: 2, window: 6000 });
  });

  it('keeps every sum a safe integer until the year 2100, and never admits more than the limit', () => {
    for (const count of [1, 7, 4093, 99_991, 1_000_003]) {
      const pace = toPace({ count, seconds: 86_399 });
      assert.ok(Number.isSafeInteger(toTicks(pace, Date.UTC(2100, 0)) + 2 * pace.window));
      assert.ok(pace.window >= 86_399_000 * pace.ticksPerMs);
    }
  });

  it('gives the quota back exactly at the end of the window, though an interval is no whole millisecond', () => {
    const pace = toPace({ count: 7, seconds: 60 });
    const now = toTicks(pace, NOW);
    const line = withCharge(toLine(pace, undefined, now), pace.window);
    const spent = line.arrival;
    assert.equal(toSeconds(pace, spent - now), 60);
    assert.equal(
      toRemaining(
        pace,
        toLine(pace, line, toTicks(pace, NOW + 60_000)).arrival,
        pace.interval,
        toTicks(pace, NOW + 60_000),
      ),
      7,
    );
    assert.equal(toRemaining(pace, spent, pace.interval, toTicks(pace, NOW + 59_999)), 6);
  });

  it('decides as a reference that stores every admitted request, under bursts and in between', () => {
    const schedule = fc.record({
      count: fc.integer({ min: 1, max: 40 }),
      seconds: fc.integer({ min: 1, max: 7 }),
      bursts: fc.array(fc.record({ gapMs: fc.nat(3000), requests: fc.integer({ min: 1, max: 45 }) }), {
        maxLength: 8,
      }),
    });
    fc.assert(
      fc.property(schedule, ({ count, seconds, bursts }) => {
        const pace = toPace({ count, seconds });
        const reference = createReferenceTier({ count, seconds });
        let stored: Line | undefined;
        let nowMs = NOW;
        for (const { gapMs, requests } of bursts) {
          nowMs += gapMs;
          for (let i = 0; i < requests; i += 1) {
            const now = toTicks(pace, nowMs);
            const line = toLine(pace, stored, now);
            const conforms = ticksToWait(pace, line.arrival, pace.interval, now) <= 0;
            assert.equal(conforms, reference.conforms(nowMs));
            if (!conforms) break;
            reference.admit(nowMs);
            stored = withCharge(line, pace.interval);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
