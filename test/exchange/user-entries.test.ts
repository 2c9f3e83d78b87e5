import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUserEntries } from '../../src/exchange/user-entries.ts';
import { MINUTE, NOW, toCaller } from './support/caller.ts';

function start() {
  let now = NOW;
  const entries = createUserEntries<{ readonly of: string }>({ maxEntries: 10_000, now: () => now });
  return {
    ...entries,
    keepOne: (key: string, milliseconds: number) =>
      entries.keep(key, { of: key }, toCaller({ objectId: key }), milliseconds),
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test('security: tokens that have ended do not stay in memory until there are too many', () => {
  const entries = start();
  for (let count = 0; count < 1000; count += 1) {
    entries.keepOne(`user ${count}`, 5 * MINUTE);
    entries.pass(MINUTE);
    assert.ok(entries.size() <= 6, `${entries.size()} entries held`);
  }
});

test('many that ended at once are gone within few writes, none of which takes long', () => {
  const entries = start();
  for (let count = 0; count < 1000; count += 1) entries.keepOne(`old ${count}`, MINUTE);
  entries.pass(MINUTE + 1);
  for (let count = 0; count < 11; count += 1) entries.keepOne(`new ${count}`, MINUTE);
  assert.equal(entries.size(), 11);
});

test('what is alive stays, however old, and what has ended behind it goes with it', () => {
  const entries = start();
  entries.keepOne('patient', 60 * MINUTE);
  entries.keepOne('brief', MINUTE);
  entries.pass(2 * MINUTE);
  entries.keepOne('new', 60 * MINUTE);
  assert.equal(entries.size(), 3);
  assert.equal(entries.read('brief'), undefined);
  assert.deepEqual(entries.read('patient'), { of: 'patient' });
  assert.equal(entries.size(), 2);
});

test('an entry is alive to the last millisecond of its time', () => {
  const entries = start();
  entries.keepOne('user', MINUTE);
  entries.pass(MINUTE);
  entries.keepOne('other', MINUTE);
  assert.deepEqual(entries.read('user'), { of: 'user' });
  entries.pass(1);
  assert.equal(entries.read('user'), undefined);
});
