import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createAuthenticate } from '../../src/caller/authenticate.ts';
import { createKeySource } from '../../src/caller/key-source.ts';
import { ProblemError } from '../../src/errors.ts';
import { createDoor } from './support/door.ts';
import { KEY_1, forge } from './support/forge.ts';
import { createJoseOracle } from './support/jose-oracle.ts';
import { AUDIENCES, AUTHORITY, CLIENT, TENANT, createFakeEntra, silentLog, toJwk } from './support/tenant.ts';

/** Stands still, lest a token end between the two who judge it. */
const NOW = Date.now();
const RUNS = process.env['TEST_LONG'] === '1' ? 100_000 : 10_000;

const keySource = createKeySource({
  authorityHost: AUTHORITY,
  tenantId: TENANT,
  outbound: createFakeEntra([KEY_1]).outbound,
  log: silentLog,
});
const authenticate = createAuthenticate({
  clientId: CLIENT,
  audiences: AUDIENCES,
  authorityHost: AUTHORITY,
  keySources: [keySource],
  log: silentLog,
  now: () => NOW,
});
const enter = createDoor(authenticate);
const isAcceptedByJose = createJoseOracle({ jwks: [toJwk(KEY_1)], now: () => NOW });
const original = forge();

async function isAccepted(token: string): Promise<boolean> {
  try {
    await enter(token);
    return true;
  } catch (error) {
    assert.ok(error instanceof ProblemError, String(error));
    assert.ok([401, 403].includes(error.status), error.code);
    return false;
  }
}

const part = fc.nat({ max: 2 });
const place = fc.nat({ max: 100_000 });
const edit = (index: number, change: (text: string) => string): string =>
  original
    .split('.')
    .map((text, at) => (at === index ? change(text) : text))
    .join('.');
const replaceAt = (text: string, at: number, length: number, by: string): string =>
  text.slice(0, at % text.length) + by + text.slice((at % text.length) + length);

const flippedBit = fc.tuple(part, place, fc.nat({ max: 7 })).map(([index, at, bit]) =>
  edit(index, (text) => {
    const bytes = Buffer.from(text, 'base64url');
    const spot = at % bytes.length;
    bytes[spot] = (bytes[spot] ?? 0) ^ (1 << bit);
    return bytes.toString('base64url');
  }),
);
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \t~%'.split('');
const otherLetter = fc
  .tuple(place, fc.constantFrom(...alphabet))
  .map(([at, letter]) => replaceAt(original, at, 1, letter));
const insertedLetters = fc
  .tuple(place, fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }))
  .map(([at, letters]) => replaceAt(original, at, 0, letters));
const removedLetters = fc
  .tuple(place, fc.integer({ min: 1, max: 40 }))
  .map(([at, length]) => replaceAt(original, at, length, ''));
const orderedOtherwise = fc
  .shuffledSubarray(original.split('.'), { minLength: 1 })
  .map((parts) => parts.join('.'));
const repeatedParts = fc
  .array(fc.constantFrom(...original.split('.'), ''), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join('.'));
const changedMember = fc
  .tuple(fc.constantFrom(0, 1), place, fc.jsonValue({ maxDepth: 1 }))
  .map(([index, at, value]) =>
    edit(index, (text) => {
      const members = Object.entries(toMembers(text));
      members[at % members.length] = [members[at % members.length]?.[0] ?? '', value];
      return encode(Object.fromEntries(members));
    }),
  );
const addedMember = fc
  .tuple(fc.constantFrom(0, 1), fc.string(), fc.jsonValue({ maxDepth: 1 }))
  .map(([index, name, value]) => edit(index, (text) => encode({ ...toMembers(text), [name]: value })));
const membersOrderedOtherwise = fc.constantFrom(0, 1).chain((index) => {
  const members = Object.entries(toMembers(original.split('.')[index] ?? ''));
  return fc
    .shuffledSubarray(members, { minLength: members.length - 1 })
    .map((shuffled) => edit(index, () => encode(Object.fromEntries(shuffled))));
});
const anyCase = fc.mixedCase(fc.constant(original));

function toMembers(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
  assert.ok(typeof value === 'object' && value !== null);
  return Object.fromEntries(Object.entries(value));
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

const mutation = fc
  .oneof(
    { weight: 4, arbitrary: flippedBit },
    { weight: 4, arbitrary: otherLetter },
    insertedLetters,
    removedLetters,
    orderedOtherwise,
    repeatedParts,
    changedMember,
    addedMember,
    membersOrderedOtherwise,
    anyCase,
  )
  .filter((token) => token.replace(/^ +/, '') !== original);

test(`of ${RUNS} mutations of a valid token none passes`, async () => {
  assert.equal(await isAccepted(original), true);
  await fc.assert(
    fc.asyncProperty(mutation, async (token) => {
      assert.equal(await isAccepted(token), false);
    }),
    { numRuns: RUNS },
  );
  assert.equal(await isAccepted(original), true);
});

test('of tokens signed with changed claims, those accepted here are accepted by jose', async () => {
  const names = [
    'aud',
    'iss',
    'exp',
    'nbf',
    'iat',
    'tid',
    'oid',
    'scp',
    'azp',
    'appid',
    'ver',
    'idtyp',
    'roles',
    'nonce',
    'x',
  ];
  const seconds = Math.floor(NOW / 1_000);
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom(CLIENT, TENANT, AUTHORITY, '1.0', '2.0', 'user', 'app', 0, 1, seconds),
  );
  const wild = fc.dictionary(fc.constantFrom(...names), values, { minKeys: 1, maxKeys: 3 });
  const harmless = fc.record(
    {
      aud: fc.constantFrom(...AUDIENCES),
      exp: fc.integer({ min: seconds + 600, max: seconds + 7_200 }),
      nbf: fc.integer({ min: 0, max: seconds }),
      tid: fc.mixedCase(fc.constant(TENANT)),
      scp: fc
        .shuffledSubarray(['EnrollmentToken.Create', 'EnrollmentToken.Read', 'User.Read', ''], {
          minLength: 4,
        })
        .map((scopes) => scopes.join(' ')),
      idtyp: fc.constant('user'),
      name: fc.jsonValue({ maxDepth: 1 }),
      roles: fc.jsonValue({ maxDepth: 1 }),
    },
    { requiredKeys: [] },
  );
  const both = fc.tuple(harmless, wild).map(([one, other]) => ({ ...one, ...other }));
  const changes = fc.oneof(wild, harmless, both);
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(changes, async (claims) => {
      const token = forge({ claims });
      if (!(await isAccepted(token))) return;
      accepted += 1;
      assert.equal(await isAcceptedByJose(token), true);
    }),
    { numRuns: RUNS / 10 },
  );
  const share = accepted / (RUNS / 10);
  assert.ok(share > 0.25, `only ${share} of the tokens was accepted, so little was compared`);
});
