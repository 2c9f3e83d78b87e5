import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { createExpiryWarning } from '../../src/exchange/certificate-expiry.ts';
import { createLogger } from '../../src/log.ts';
import { NOW } from './support/caller.ts';

const DAY = 24 * 60 * 60_000;
const { privateKey: key } = generateKeyPairSync('ed25519');

const toCertificate = (days: number) => ({ key, thumbprint: 'x', expiresAt: NOW + days * DAY });

function start() {
  let now = NOW;
  const warned: string[] = [];
  const log = createLogger({ level: 'debug', write: (line) => warned.push(line) });
  const warning = createExpiryWarning({ log, now: () => now });
  return {
    ...warning,
    /** Checks once a day, and gives the days on which it warned. */
    pass: (days: number): readonly number[] =>
      Array.from({ length: days }, (_, day) => {
        const before = warned.length;
        now += DAY;
        warning.check();
        return warned.length > before ? day + 1 : 0;
      }).filter((day) => day > 0),
    warned,
  };
}

test('it warns 30, 7 and 1 days before the end and at the end, once each', () => {
  const { replace, pass, warned } = start();
  replace(toCertificate(60));
  assert.deepEqual(warned, []);
  assert.deepEqual(pass(90), [30, 53, 59, 60]);
  assert.match(warned[0] ?? '', /"level":"warn".*ends soon.*"daysLeft":30/);
  assert.match(warned[3] ?? '', /has ended.*"daysLeft":0/);
});

test('a certificate that is close to its end warns at once, and once', () => {
  const { replace, pass, warned } = start();
  replace(toCertificate(5));
  assert.equal(warned.length, 1);
  assert.deepEqual(pass(3), []);
  assert.deepEqual(pass(1), [1]);
});

test('a replaced certificate starts anew', () => {
  const { replace, pass, warned } = start();
  replace(toCertificate(1));
  replace(toCertificate(400));
  assert.equal(warned.length, 1);
  assert.deepEqual(pass(369), []);
  assert.deepEqual(pass(1), [1]);
});

test('without a certificate there is nothing to say', () => {
  const { pass } = start();
  assert.deepEqual(pass(100), []);
});
