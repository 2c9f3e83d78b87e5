import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { createAuthenticate } from '../../src/caller/authenticate.ts';
import { createKeySource } from '../../src/caller/key-source.ts';
import { parseTokenShape } from '../../src/caller/token-shape.ts';
import { ProblemError } from '../../src/errors.ts';
import { createDoor } from './support/door.ts';
import { ATTACKER, KEY_2, forge } from './support/forge.ts';
import {
  HOSTILE_TOKENS,
  NOW,
  PUBLISHED_KEYS,
  STRICTER_THAN_JOSE,
  UNUSABLE_KEYS,
} from './support/hostile-tokens.ts';
import { createJoseOracle } from './support/jose-oracle.ts';
import {
  AUDIENCES,
  AUTHORITY,
  CLIENT,
  TENANT,
  V2_ISSUER,
  createFakeEntra,
  silentLog,
  toAnswer,
  toV1Claims,
} from './support/tenant.ts';

/** Ten times what one input may cost. */
const CPU_BOUND_MS = 50;

const entra = createFakeEntra([]);
entra.metadata = () =>
  toAnswer({ issuer: V2_ISSUER, jwks_uri: `${AUTHORITY}/keys`, cloud_instance_name: 'entra.test' });
entra.jwks = () => toAnswer({ keys: PUBLISHED_KEYS });
const keySource = createKeySource({
  authorityHost: AUTHORITY,
  tenantId: TENANT,
  outbound: entra.outbound,
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
const isAcceptedByJose = createJoseOracle({
  jwks: PUBLISHED_KEYS,
  unusable: UNUSABLE_KEYS,
  now: () => NOW,
});

async function refusalOf(token: string): Promise<ProblemError> {
  const error: unknown = await enter(token).then(
    () => new Error('the token was accepted'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ProblemError, inspect(error));
  return error;
}

async function cpuMsOf(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

const seconds = NOW / 1_000;
const ACCEPTED: Readonly<Record<string, string>> = {
  'v2.0': forge(),
  'v1.0': forge({ claims: JSON.stringify(toV1Claims()) }),
  'the App ID URI as audience of v2.0': forge({ claims: { aud: `api://${CLIENT}` } }),
  'the other key, restricted to the issuer of the metadata': forge({ pair: KEY_2 }),
  'v1.0 signed by a key restricted to the issuer of the metadata': forge({
    pair: KEY_2,
    claims: JSON.stringify(toV1Claims()),
  }),
  'expired within the skew': forge({ claims: { exp: seconds - 30 } }),
  'not valid yet within the skew': forge({ claims: { nbf: seconds + 30 } }),
  'an x5t in the header': forge({ header: { x5t: 'dGh1bWJwcmludA' } }),
  'no nbf': forge({ claims: { nbf: undefined } }),
  'idtyp user': forge({ claims: { idtyp: 'user' } }),
  'a tenant in upper case': forge({ claims: { tid: TENANT.toUpperCase() } }),
  'claims nobody knows': forge({ claims: { xms_st: { sub: 'x' }, wids: ['a'], äöü: '\u{1F600}' } }),
  'no claim of a name': forge({ claims: { preferred_username: undefined, uti: undefined } }),
  'claims that decide nothing, of other types': forge({
    claims: { preferred_username: {}, upn: null, name: 1, nonce: null, roles: 'Admin' },
  }),
  'thousands of roles that are numbers': forge({
    claims: { roles: Array.from({ length: 5_000 }, () => 1) },
  }),
};

describe('tokens of every kind', () => {
  before(() => enter(forge()));

  for (const [name, token] of Object.entries(ACCEPTED)) {
    test(`accepted: ${name}`, async () => {
      assert.equal((await enter(token)).tenantId, TENANT);
      assert.equal(await isAcceptedByJose(token), true, 'jose refuses it');
    });
  }

  test('the table holds at least 120 hostile tokens', () => {
    assert.ok(Object.keys(HOSTILE_TOKENS).length >= 120, String(Object.keys(HOSTILE_TOKENS).length));
  });

  for (const [name, [token, code]] of Object.entries(HOSTILE_TOKENS)) {
    test(`refused as ${code}: ${name}`, async () => {
      const problem = await refusalOf(token);
      assert.equal(problem.code, code, problem.message);
      assert.match(problem.message, /^[\x20-\x7e]+$/);
      assert.equal(
        problem.options.challenge !== undefined,
        problem.status === 401 || code === 'insufficient_scope',
      );
      assert.doesNotMatch(problem.options.challenge ?? '', /[^\x20-\x7e]/);
      assert.ok(token.length < 20 || !inspect(problem).includes(token), 'the error holds the token');

      // The least of several: a collection of garbage, or a machine that stood still, is nobody's fault.
      let cpuMs = Infinity;
      for (let turn = 0; turn < 6 && cpuMs >= CPU_BOUND_MS; turn += 1)
        cpuMs = Math.min(cpuMs, await cpuMsOf(() => refusalOf(token)));
      assert.ok(cpuMs < CPU_BOUND_MS, `${cpuMs} ms of CPU`);
    });
  }
});

/** The least of several times: a collection of garbage is nobody's fault. */
function leastCpuUs(work: () => unknown): number {
  const costs = Array.from({ length: 15 }, () => {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    return user + system;
  });
  return Math.min(...costs);
}

describe('security: thousands of elements of a wrong type cost little more where a claim is looked at than where it is not', () => {
  const parse = (claim: string) => {
    const token = forge({ claims: { [claim]: Array.from({ length: 5_400 }, () => 1) }, pair: ATTACKER });
    return () => {
      try {
        parseTokenShape(token);
      } catch (error) {
        assert.ok(error instanceof ProblemError, inspect(error));
      }
    };
  };
  const unread = leastCpuUs(parse('wids'));
  for (const claim of [
    'roles',
    'scp',
    'aud',
    'iss',
    'tid',
    'azp',
    'upn',
    'preferred_username',
    'name',
    'uti',
  ]) {
    test(claim, () => {
      const cost = leastCpuUs(parse(claim));
      assert.ok(cost < 10 * unread, `${cost} µs instead of ${unread}`);
    });
  }
});

test('jose, the oracle, refuses each hostile token too, but for those that are named', async () => {
  const names = Object.entries(HOSTILE_TOKENS);
  const verdicts = await Promise.all(names.map(([, [token]]) => isAcceptedByJose(token)));
  const accepted = names.filter((_, at) => verdicts[at]).map(([name]) => name);
  assert.deepEqual(accepted.toSorted(), [...STRICTER_THAN_JOSE].toSorted());
  assert.ok(names.length - accepted.length > 200, `jose accepts ${accepted.length} of ${names.length}`);
});

test('security: before the signature held, nothing that the token says is repeated', async () => {
  const marker = 'leak-marker';
  const bodies = [
    { aud: marker },
    { aud: marker, scp: marker, oid: marker, azp: marker, ver: marker },
    { iss: marker, tid: undefined },
    { iss: marker },
    { tid: marker },
    { tid: marker, iss: marker },
    { aud: 'https://graph.microsoft.com', uti: marker },
    { exp: marker },
    { [marker]: 1, exp: null },
    `{"${marker}":1,"${marker}":2}`,
    `{${marker}`,
  ];
  const headers = [
    {},
    { kid: marker },
    { alg: marker },
    { [marker]: marker },
    { typ: marker },
    { nonce: marker },
  ];
  for (const claims of bodies) {
    for (const header of headers) {
      const problem = await refusalOf(forge({ header, claims, pair: ATTACKER }));
      const shown = `${problem.message} ${problem.options.challenge} ${inspect(problem.cause)}`;
      assert.doesNotMatch(shown, /leak-marker/);
    }
  }
});
