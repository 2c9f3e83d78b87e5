import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSkewEstimate, type SkewEstimate } from '../../src/enrollment/clock-skew.ts';
import { readCreationTime } from '../../src/enrollment/creation-time.ts';
import { isWithin, LATE_ACT, type CreationWindow } from '../../src/enrollment/creation-window.ts';

const SENT = Date.parse('2026-03-01T12:00:00.400Z');
const SECOND = 1000;
const VALIDITY = 7_776_000;

/** How a set shows a creation: with its time, or only with its expiry; with fractions, or without. */
type Shown = Readonly<{ by: 'creation' | 'expiry'; inSeconds: boolean }>;
const shownWays: fc.Arbitrary<Shown> = fc.record({
  by: fc.constantFrom('creation', 'expiry'),
  inSeconds: fc.boolean(),
});

const toIso = (time: number, inSeconds: boolean): string =>
  new Date(inSeconds ? Math.floor(time / SECOND) * SECOND : time).toISOString();

/** As one answer alone tells it. */
const readClockSkew: SkewEstimate['observe'] = (...answer) => createSkewEstimate().observe(...answer);

type Look = Readonly<{
  /** When the token on the profile was created, by our clock. */
  created: number;
  /** When the profile was read. */
  readAt: number;
  roundTrip: number;
  /** By which Graph's clock is ahead. */
  skew: number;
  shown: Shown;
  window: CreationWindow;
}>;

/** Whether the read-back takes the token for the one of the window. */
function look({ created, readAt, roundTrip, skew, shown, window }: Look): boolean {
  const json =
    shown.by === 'creation'
      ? { tokenCreationDateTime: toIso(created + skew, shown.inSeconds) }
      : { tokenExpirationDateTime: toIso(created + skew + VALIDITY * SECOND, shown.inSeconds) };
  const time = readCreationTime(json, VALIDITY);
  assert.ok(time);
  const date = Math.floor((readAt + roundTrip / 2 + skew) / SECOND) * SECOND;
  return isWithin(time, window, readClockSkew({ date }, readAt, readAt + roundTrip));
}

/** Clocks agree, or differ by so much that Graph's `Date` shows it. */
const skews = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 2 * SECOND, max: 10 * 60 * SECOND }),
  fc.integer({ min: -10 * 60 * SECOND, max: -2 * SECOND }),
);
const roundTrips = fc.integer({ min: 0, max: 900 });

test('a creation after an idle profile is seen, whatever the clocks and the resolution', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 10 * SECOND }),
      fc.integer({ min: 0, max: 2 * SECOND }),
      skews,
      roundTrips,
      shownWays,
      (after, readAfter, skew, roundTrip, shown) => {
        const until = SENT + 10 * SECOND;
        const window = { sentAt: SENT, until };
        assert.ok(look({ created: SENT + after, readAt: until + readAfter, roundTrip, skew, shown, window }));
      },
    ),
    { numRuns: 5000 },
  );
});

test('security: the token of an earlier write is never taken for this one, however close', () => {
  fc.assert(
    fc.property(
      // Most of all where "close by" ends.
      fc.oneof(fc.integer({ min: 0, max: 20 * SECOND }), fc.integer({ min: 3900, max: 5100 })),
      fc.oneof(fc.integer({ min: 0, max: 12 * SECOND }), fc.integer({ min: 0, max: 100 })),
      fc.integer({ min: 0, max: 12 * SECOND }),
      skews,
      roundTrips,
      shownWays,
      (pause, beforeItsEnd, readAfter, skew, roundTrip, shown) => {
        const previousAt = SENT - pause;
        const window = { sentAt: SENT, previousAt, until: SENT + 10 * SECOND };
        const readAt = SENT + readAfter;
        const created = previousAt - beforeItsEnd;
        assert.ok(!look({ created, readAt, roundTrip, skew, shown, window }));
      },
    ),
    { numRuns: 20_000 },
  );
});

test('beside an earlier write, one that is told apart is seen', () => {
  for (const pause of [1, 10, 1000, 3999, 4000, 60_000]) {
    const window = { sentAt: SENT, previousAt: SENT - pause, until: SENT + 10 * SECOND };
    const shown = { by: 'creation', inSeconds: false } as const;
    const read = { readAt: SENT + SECOND, roundTrip: 50, skew: 0, shown, window };
    assert.ok(look({ ...read, created: SENT }), `${pause} ms behind`);
  }
});

test('security: a later write of this service is never taken for an older, open one', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 * SECOND }),
      fc.integer({ min: 0, max: 20 * SECOND }),
      skews,
      roundTrips,
      shownWays,
      (later, after, skew, roundTrip, shown) => {
        const nextAt = SENT + later;
        const window = { sentAt: SENT, until: SENT + LATE_ACT, nextAt };
        const created = nextAt + after;
        assert.ok(!look({ created, readAt: created + SECOND, roundTrip, skew, shown, window }));
      },
    ),
    { numRuns: 20_000 },
  );
});

test('too early, too late, never', () => {
  const window = { sentAt: SENT, until: SENT + 10 * SECOND };
  const read = {
    readAt: SENT + 30 * SECOND,
    roundTrip: 50,
    skew: 0,
    shown: { by: 'creation', inSeconds: false },
    window,
  } as const;
  assert.ok(!look({ ...read, created: SENT - 2001 }));
  assert.ok(look({ ...read, created: SENT - 1999 }), 'clocks inside Graph differ a little');
  assert.ok(look({ ...read, created: SENT + 11 * SECOND }));
  assert.ok(!look({ ...read, created: SENT + 13 * SECOND }));
  const never = readCreationTime({ tokenCreationDateTime: '0001-01-01T00:00:00Z' }, VALIDITY);
  assert.ok(never && !isWithin(never, window, { least: 0, most: 0 }));
});

test('the times of a profile', () => {
  const at = Date.parse('2026-03-01T12:00:00.123Z');
  const created = { tokenCreationDateTime: '2026-03-01T12:00:00.1234567Z' };
  assert.deepEqual(readCreationTime(created, 60), { at, resolution: 0 });
  const expiry = { tokenExpirationDateTime: '2026-03-01T12:01:00.1234567Z' };
  assert.deepEqual(readCreationTime(expiry, 60), { at, resolution: 0 });
  assert.deepEqual(readCreationTime({ ...created, ...expiry }, 7), { at, resolution: 0 });
  assert.deepEqual(readCreationTime({ tokenCreationDateTime: '2026-03-01T12:00:00Z' }, 60), {
    at: at - 123,
    resolution: 999,
  });
  const none = [
    undefined,
    null,
    'text',
    [],
    {},
    { tokenCreationDateTime: 7 },
    { tokenExpirationDateTime: '' },
  ];
  for (const json of none) assert.equal(readCreationTime(json, 60), undefined);
});

test('the skew of clocks, as far as a Date in whole seconds shows it', () => {
  const date = Date.parse('2026-03-01T12:00:00Z');
  const none = { least: 0, most: 0 };
  assert.deepEqual(readClockSkew({}, date, date), none);
  assert.deepEqual(readClockSkew({ date }, date + 500, date + 600), none);
  assert.deepEqual(readClockSkew({ date }, date - 300, date + 100), none);
  assert.deepEqual(readClockSkew({ date }, date - 5000, date - 4900), { least: 4900, most: 5999 });
  assert.deepEqual(readClockSkew({ date }, date + 5000, date + 5100), { least: -5100, most: -4001 });
});
