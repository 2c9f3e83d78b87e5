import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import type { Identity } from '../../src/caller/caller.ts';
import type { KeySet } from '../../src/caller/key-set.ts';
import { createVerifiedTokens } from '../../src/caller/verified-tokens.ts';
import { toIdentity as parseIdentity } from './support/identity.ts';
import { FRONT_END, TENANT } from './support/tenant.ts';

const MINUTE = 60_000;
const toKeySet = (fingerprint: string): KeySet => ({ issuer: '', keys: new Map(), fingerprint });
const toIdentity = (objectId: string, expiresAt = 60 * MINUTE): Identity => ({
  tenantId: TENANT,
  objectId,
  clientId: FRONT_END,
  scopes: [],
  expiresAt,
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
  const identity = toIdentity('a');
  tokens.write('a', identity, state.keySet);
  state.now = 5 * MINUTE - 1;
  assert.equal(tokens.read('a'), identity);
  state.now = 5 * MINUTE;
  assert.equal(tokens.read('a'), undefined);
});

test('an entry ends with its token, without any skew', () => {
  const { state, tokens } = createBench();
  tokens.write('a', toIdentity('a', MINUTE), state.keySet);
  state.now = MINUTE - 1;
  assert.ok(tokens.read('a'));
  state.now = MINUTE;
  assert.equal(tokens.read('a'), undefined);
});

test('reading does not lengthen the life of an entry', () => {
  const { state, tokens } = createBench();
  tokens.write('a', toIdentity('a'), state.keySet);
  for (; state.now < 5 * MINUTE; state.now += MINUTE) assert.ok(tokens.read('a'));
  assert.equal(tokens.read('a'), undefined);
});

test('security: a change of the keys empties it, of verifications under way too', () => {
  const { state, tokens } = createBench();
  const before = state.keySet;
  tokens.write('a', toIdentity('a'), before);
  state.keySet = toKeySet('2');
  assert.equal(tokens.read('a'), undefined);
  tokens.write('b', toIdentity('b'), before);
  assert.equal(tokens.read('b'), undefined);
  state.keySet = before;
  assert.equal(tokens.read('a'), undefined, 'it was kept');
});

test('a clock set back ends an entry', () => {
  const { state, tokens } = createBench();
  state.now = 10 * MINUTE;
  tokens.write('a', toIdentity('a'), state.keySet);
  state.now = 0;
  assert.equal(tokens.read('a'), undefined);
});

test('security: two tokens never share an entry', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ maxLength: 3 }), { minLength: 2, maxLength: 50 }), (all) => {
      const { state, tokens } = createBench();
      for (const token of all) tokens.write(token, toIdentity(token), state.keySet);
      for (const token of all) assert.equal(tokens.read(token)?.objectId, token);
      for (const token of all) assert.equal(tokens.read(`${token}~~~~`), undefined);
    }),
  );
});

test('it is bounded, and forgets what was verified first', () => {
  const { state, tokens } = createBench();
  for (let i = 0; i <= 60_000; i += 1) tokens.write(String(i), toIdentity(String(i)), state.keySet);
  assert.equal(tokens.read('0'), undefined);
  assert.ok(tokens.read('1'));
});

test('security: tokens that live no more are not kept until others need their place', () => {
  const { state, tokens } = createBench();
  const write = (name: string) => {
    tokens.write(name, toIdentity(name, 60 * MINUTE), state.keySet);
  };
  for (let i = 0; i < 1_200; i += 1) write(`early-${i}`);
  state.now = MINUTE;
  write('late');
  for (let i = 0; i < 1_200; i += 1) assert.ok(tokens.read(`early-${i}`), 'reading keeps nothing alive');
  state.now = 5 * MINUTE;
  write('1');
  assert.equal(tokens.size(), 1_201 - 500 + 1, 'one write takes away no more than nobody notices');
  write('2');
  write('3');
  assert.equal(tokens.size(), 4);
  assert.ok(tokens.read('late'));
  state.keySet = toKeySet('2');
  write('4');
  assert.equal(tokens.size(), 1, 'of keys that were replaced');
  state.now = 0;
  write('5');
  assert.equal(tokens.size(), 1, 'of a clock that was set back');
});

test('security: a flood of long names takes no more memory than 60 000 usual ones', () => {
  const { state, tokens } = createBench();
  const bytes = 60_000 * 1_024;
  const long = 'a'.repeat(500_000);
  const identity = { ...toIdentity('a'), userPrincipalName: long, scopes: [long] };
  for (let i = 0; i < 100; i += 1) tokens.write(String(i), identity, state.keySet);
  assert.ok(tokens.size() * 1_000_000 <= bytes && tokens.size() > 50, String(tokens.size()));
  assert.equal(tokens.read('0'), undefined);
  assert.ok(tokens.read('99'));
});

test('security: an entry takes a kilobyte, since the token is not kept', () => {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  const heap = (): number => {
    for (let turn = 0; turn < 3; turn += 1) collect();
    return process.memoryUsage().heapUsed;
  };
  const { state, tokens } = createBench();
  const write = (i: number): void => {
    const number = String(i).padStart(12, '0');
    const oid = `00000000-0000-4000-8000-${number}`;
    const claims = { oid, uti: `u${number}`, preferred_username: `${number}@example.com` };
    const tokenHash = hash('sha256', number, 'base64');
    tokens.write(tokenHash, parseIdentity(claims), state.keySet);
  };
  const COUNT = 5_000;
  for (let i = 0; i < COUNT; i += 1) write(i);
  const before = heap();
  for (let i = COUNT; i < 3 * COUNT; i += 1) write(i);
  const bytes = (heap() - before) / (2 * COUNT);
  assert.equal(tokens.size(), 3 * COUNT);
  assert.ok(bytes < 1_024, `${bytes} bytes an entry`);
});
