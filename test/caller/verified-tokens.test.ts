import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Caller } from '../../src/caller/caller.ts';
import type { KeySet } from '../../src/caller/key-set.ts';
import { createVerifiedTokens } from '../../src/caller/verified-tokens.ts';
import { Secret } from '../../src/secret.ts';
import { FRONT_END, TENANT, USER } from './support/tenant.ts';

const MINUTE = 60_000;
const toKeySet = (fingerprint: string): KeySet => ({ issuer: '', keys: new Map(), fingerprint });
const toCaller = (token: string, expiresAt = 60 * MINUTE): Caller => ({
  tenantId: TENANT,
  objectId: USER,
  clientId: FRONT_END,
  scopes: [],
  expiresAt,
  assertion: new Secret(token),
});

function createBench() {
  const state = { now: 0, keySet: toKeySet('1') };
  const tokens = createVerifiedTokens({
    currentKeySet: (tenantId) => (tenantId === TENANT ? state.keySet : undefined),
    now: () => state.now,
  });
  return { state, tokens };
}

test('an entry lives for 5 minutes', () => {
  const { state, tokens } = createBench();
  const caller = toCaller('a');
  tokens.write('a', caller, state.keySet);
  state.now = 5 * MINUTE - 1;
  assert.equal(tokens.read('a'), caller);
  state.now = 5 * MINUTE;
  assert.equal(tokens.read('a'), undefined);
});

test('an entry ends with its token, without any skew', () => {
  const { state, tokens } = createBench();
  tokens.write('a', toCaller('a', MINUTE), state.keySet);
  state.now = MINUTE - 1;
  assert.ok(tokens.read('a'));
  state.now = MINUTE;
  assert.equal(tokens.read('a'), undefined);
});

test('reading does not lengthen the life of an entry', () => {
  const { state, tokens } = createBench();
  tokens.write('a', toCaller('a'), state.keySet);
  for (; state.now < 5 * MINUTE; state.now += MINUTE) assert.ok(tokens.read('a'));
  assert.equal(tokens.read('a'), undefined);
});

test('security: a change of the keys empties it, of verifications under way too', () => {
  const { state, tokens } = createBench();
  const before = state.keySet;
  tokens.write('a', toCaller('a'), before);
  state.keySet = toKeySet('2');
  assert.equal(tokens.read('a'), undefined);
  tokens.write('b', toCaller('b'), before);
  assert.equal(tokens.read('b'), undefined);
  state.keySet = before;
  assert.equal(tokens.read('a'), undefined, 'it was kept');
});

test('a clock set back ends an entry', () => {
  const { state, tokens } = createBench();
  state.now = 10 * MINUTE;
  tokens.write('a', toCaller('a'), state.keySet);
  state.now = 0;
  assert.equal(tokens.read('a'), undefined);
});

test('security: two tokens never share an entry', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ maxLength: 3 }), { minLength: 2, maxLength: 50 }), (all) => {
      const { state, tokens } = createBench();
      for (const token of all) tokens.write(token, toCaller(token), state.keySet);
      for (const token of all) assert.equal(tokens.read(token)?.assertion.reveal(), token);
      for (const token of all) assert.equal(tokens.read(`${token}~~~~`), undefined);
    }),
  );
});

test('it is bounded, and forgets what was not used for longest', () => {
  const { state, tokens } = createBench();
  for (let i = 0; i <= 60_000; i += 1) tokens.write(String(i), toCaller(String(i)), state.keySet);
  assert.equal(tokens.read('0'), undefined);
  assert.ok(tokens.read('1'));
});
