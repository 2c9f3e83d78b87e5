import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createForgedTokens } from '../../src/caller/forged-tokens.ts';
import type { KeySet } from '../../src/caller/key-set.ts';
import { ProblemError } from '../../src/errors.ts';
import { TENANT } from './support/tenant.ts';

const toKeySet = (fingerprint: string): KeySet => ({ issuer: '', keys: new Map(), fingerprint });
const refusal = new ProblemError('invalid_token');

test('a forged token is known again, and no other', () => {
  const keySet = toKeySet('1');
  const tokens = createForgedTokens(() => keySet);
  assert.equal(tokens.read('a.b.c'), undefined);
  tokens.write('a.b.c', { refusal, tenantId: TENANT, keySet });
  assert.equal(tokens.read('a.b.c')?.refusal, refusal);
  assert.equal(tokens.read('a.b.d'), undefined);
});

test('security: with other keys a token that was refused is looked at again', () => {
  let current: KeySet | undefined = toKeySet('1');
  const tokens = createForgedTokens((tenantId) => (tenantId === TENANT ? current : undefined));
  tokens.write('a.b.c', { refusal, tenantId: TENANT, keySet: toKeySet('0') });
  assert.equal(tokens.read('a.b.c'), undefined, 'refused under keys that were replaced meanwhile');
  tokens.write('a.b.c', { refusal, tenantId: TENANT, keySet: current });
  current = toKeySet('2');
  assert.equal(tokens.read('a.b.c'), undefined);
  current = undefined;
  assert.equal(tokens.read('a.b.c'), undefined);
});

test('security: a flood of different tokens forgets the oldest and grows no further', () => {
  const keySet = toKeySet('1');
  const tokens = createForgedTokens(() => keySet);
  for (let index = 0; index <= 5_000; index += 1) {
    tokens.write(`token-${index}`, { refusal, tenantId: TENANT, keySet });
  }
  assert.equal(tokens.read('token-0'), undefined);
  assert.equal(tokens.read('token-5000')?.refusal, refusal);
});
