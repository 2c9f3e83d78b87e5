import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toOwnership, toShownTimes } from '../../src/enrollment/own-creation.ts';

const SENT = Date.parse('2026-11-24T09:00:00.200Z');
const window = { sentAt: SENT, until: SENT + 300 };
const NO_SKEW = { least: 0, most: 0 };
const at = (milliseconds: number) => new Date(milliseconds).toISOString();

describe('on a set that shows when its token was created', () => {
  const creation = { set: 'androidDeviceOwnerEnrollmentProfiles', validitySeconds: 3600, window } as const;
  const ownershipAt = (created: number, skew = NO_SKEW) =>
    toOwnership(
      { tokenCreationDateTime: at(created), tokenExpirationDateTime: at(created + 3_600_000) },
      creation,
      skew,
    );

  test('a token created while ours was at Graph is ours, one created a millisecond later is not', () => {
    assert.equal(ownershipAt(SENT), 'own');
    assert.equal(ownershipAt(SENT + 300), 'own');
    assert.equal(ownershipAt(SENT + 301), 'newer');
    assert.equal(ownershipAt(SENT - 60_000), 'older');
  });

  test('security: a token of another validity is somebody else’s; each end may be cut to the second', () => {
    const ownershipFor = (seconds: number) =>
      toOwnership(
        { tokenCreationDateTime: at(SENT), tokenExpirationDateTime: at(SENT + seconds * 1000) },
        creation,
        NO_SKEW,
      );
    for (const seconds of [3597, 3599, 3600, 3601, 3603]) assert.equal(ownershipFor(seconds), 'own');
    for (const seconds of [60, 3596, 3604, 7_776_000]) assert.equal(ownershipFor(seconds), 'newer');
  });

  test("Graph's clock is taken into account", () => {
    assert.equal(ownershipAt(SENT + 60_100, { least: 60_000, most: 60_000 }), 'own');
    assert.equal(ownershipAt(SENT + 100, { least: 60_000, most: 60_000 }), 'older');
    assert.equal(ownershipAt(SENT + 100, { least: -60_000, most: -60_000 }), 'newer');
  });
});

describe('a creation of which more is known', () => {
  const creation = { set: 'androidDeviceOwnerEnrollmentProfiles', validitySeconds: 3600 } as const;
  const ownershipAt = (created: number, more: object, skew = NO_SKEW) =>
    toOwnership(
      { tokenCreationDateTime: at(created), tokenExpirationDateTime: at(created + 3_600_000) },
      { ...creation, window: { sentAt: SENT, until: SENT + 60_000, ...more } },
      skew,
    );

  test('security: from the start of a later write on, a token is taken for that of the later one', () => {
    assert.equal(ownershipAt(SENT + 999, { nextAt: SENT + 1000 }), 'own');
    assert.equal(ownershipAt(SENT + 1000, { nextAt: SENT + 1000 }), 'newer');
    assert.equal(ownershipAt(SENT + 1000, { nextAt: SENT + 1000, shownAt: SENT + 1000 }), 'newer');
  });

  test('security: once seen, it is known by the time that Graph showed, whatever the clocks', () => {
    for (const skew of [NO_SKEW, { least: 60_000, most: 61_000 }, { least: -61_000, most: -60_000 }]) {
      assert.equal(ownershipAt(SENT + 5000, { shownAt: SENT + 5000 }, skew), 'own');
      assert.equal(ownershipAt(SENT + 5001, { shownAt: SENT + 5000 }, skew), 'newer');
      assert.equal(ownershipAt(SENT + 4999, { shownAt: SENT + 5000 }, skew), 'older');
    }
  });
});

describe('behind a token of ours that was read', () => {
  const PREVIOUS = SENT - 20;
  const own = { validitySeconds: 3600, window: { ...window, previousAt: SENT - 2 } };
  const shown = (created: number, seconds = 3600) => ({
    tokenCreationDateTime: at(created),
    tokenExpirationDateTime: at(created + seconds * 1000),
  });
  const ownershipOf = (created: number, slow: number, more: object = {}) =>
    toOwnership(
      shown(created - slow),
      {
        ...own,
        set: 'androidDeviceOwnerEnrollmentProfiles',
        previous: { createdAt: PREVIOUS - slow, expires: at(PREVIOUS - slow + 3_600_000) },
        ...more,
      },
      NO_SKEW,
    );

  test('a later one is ours, though a slow clock of Graph’s puts it before our request', () => {
    for (const slow of [0, 100, 700]) assert.equal(ownershipOf(SENT + 1, slow), 'own');
    assert.equal(ownershipOf(SENT + 1, 700, { previous: undefined }), 'older');
  });

  test('security: that one is not, though a fast clock of Graph’s puts it behind our request', () => {
    for (const slow of [0, -22, -100, -300, 100]) assert.notEqual(ownershipOf(PREVIOUS, slow), 'own');
    assert.equal(ownershipOf(PREVIOUS, -100, { previous: undefined }), 'own', 'by the clocks alone');
  });

  test('security: nor is anything behind ours, or beside an earlier write that may still act', () => {
    assert.equal(ownershipOf(SENT + 301, 0), 'newer');
    const earlierOpenUntil = SENT + 60_000;
    assert.equal(ownershipOf(SENT + 1, 700, { window: { ...own.window, earlierOpenUntil } }), 'older');
  });

  test('security: on a set without its time, the same end is the same token, whatever validity is asked for', () => {
    const expires = at(PREVIOUS + 3_601_000);
    const ownershipFor = (validitySeconds: number) =>
      toOwnership(
        { tokenExpirationDateTime: expires },
        {
          ...own,
          set: 'androidForWorkEnrollmentProfiles',
          validitySeconds,
          previous: { createdAt: PREVIOUS, expires },
        },
        NO_SKEW,
      );
    for (const seconds of [3600, 3601]) assert.equal(ownershipFor(seconds), 'older');
  });

  test('the times of a token, for the next one', () => {
    assert.deepEqual(toShownTimes(shown(SENT), 3600), {
      createdAt: SENT,
      expires: at(SENT + 3_600_000),
    });
    assert.equal(toShownTimes({ tokenExpirationDateTime: 'never' }, 3600), undefined);
  });
});

describe('on a set that shows the end of its token alone', () => {
  const creation = { set: 'androidForWorkEnrollmentProfiles', validitySeconds: 3600, window } as const;
  const ownershipBy = (end: number) => toOwnership({ tokenExpirationDateTime: at(end) }, creation, NO_SKEW);

  test('the end has to fit to the second', () => {
    assert.equal(ownershipBy(SENT + 100 + 3_600_000), 'own');
    assert.equal(ownershipBy(SENT + 1300 + 3_600_000), 'own');
    assert.equal(ownershipBy(SENT + 1301 + 3_600_000), 'newer');
    assert.equal(ownershipBy(SENT + 100 + 7_200_000), 'newer');
    assert.equal(ownershipBy(SENT + 100 + 1_800_000), 'older');
  });

  test('security: beside an earlier write that may still act, the end has to fit exactly', () => {
    const beside = (earlierOpenUntil: number) =>
      toOwnership(
        { tokenExpirationDateTime: at(SENT + 1300 + 3_600_000) },
        { ...creation, window: { ...window, earlierOpenUntil } },
        NO_SKEW,
      );
    assert.equal(beside(SENT - 1), 'own');
    assert.equal(beside(SENT), 'newer');
  });

  test('a token whose end cannot be read is never ours', () => {
    assert.equal(toOwnership({ tokenExpirationDateTime: 'never' }, creation, NO_SKEW), 'newer');
  });
});
