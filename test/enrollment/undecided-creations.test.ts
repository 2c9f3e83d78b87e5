import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LATE_ACT } from '../../src/enrollment/creation-window.ts';
import { createProfileWrites } from '../../src/enrollment/profile-writes.ts';
import { readOpenBefore, rememberUndecided } from '../../src/enrollment/undecided-creations.ts';

const NOW = 1_000_000;

test('a creation of an earlier process is open until Graph cannot act on it any more', () => {
  const writes = createProfileWrites();
  const creations = [
    { profile: 'died', intendedAt: NOW - 5000 },
    { profile: 'given up', intendedAt: NOW - 5000, endedAt: NOW - 1000 },
    { profile: 'just not over', intendedAt: NOW - 25_000 - LATE_ACT + 1 },
    { profile: 'over', intendedAt: NOW - 25_000 - LATE_ACT },
  ];
  rememberUndecided(writes, creations, 25_000, () => NOW);
  assert.deepEqual(
    creations.map(({ profile }) => writes.openUntil(profile)),
    [NOW + 20_000 + LATE_ACT, NOW - 1000 + LATE_ACT, NOW + 1, undefined],
  );
  // Seen to have acted: nothing is open any more.
  writes.close('died', NOW - 5000, NOW);
  assert.equal(writes.openUntil('died'), undefined);
});

test('until when an earlier one on the profile may have acted', () => {
  const creations = [
    { profile: 'p', intendedAt: NOW, endedAt: NOW + 1000 },
    { profile: 'p', intendedAt: NOW - 5000, endedAt: NOW - 4000 },
    { profile: 'p', intendedAt: NOW - 6000 },
    { profile: 'other', intendedAt: NOW - 1000 },
  ];
  const read = (before: number) => readOpenBefore(creations, 25_000, 'p', before);
  assert.equal(read(NOW + 1), NOW + 19_000 + LATE_ACT);
  assert.equal(read(NOW - 5999), NOW + 19_000 + LATE_ACT);
  assert.equal(read(NOW - 6000), undefined, 'itself is no earlier one');
  assert.equal(readOpenBefore(creations.slice(0, 2), 25_000, 'p', NOW), NOW - 4000 + LATE_ACT);
});
