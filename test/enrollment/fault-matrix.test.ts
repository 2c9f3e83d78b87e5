import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import type { FaultInput } from '../../sandbox/fault/fault.ts';
import { startService } from '../support/service.ts';
import {
  collectErrors,
  createActor,
  runFaultCase,
  type Expected,
  type FaultCase,
  type Operation,
} from './support/fault-case.ts';

const IS_LONG = process.env['TEST_LONG'] === '1';
const OPERATIONS: readonly Operation[] = ['createToken', 'revokeToken'];
const CANARY = 'CANARY7d31e0';
/** Milliseconds for one call: a busy machine has to be faster, and what hangs waits for it. */
const TIMEOUT = 3000;
/** Milliseconds for one request: the pauses that Graph does not name (1, 2 and 4 s) fit in, the shortest that it names (13 s) does not. */
const DEADLINE = 14_000;

const failed = (status: number, code: string, more: Partial<Expected> = {}): Expected => ({
  status,
  code,
  result: 'failed',
  commits: 0,
  ...more,
});
const unknown = (code: string, commits: number): Expected => ({
  status: 502,
  code,
  result: 'unknown',
  commits,
});
const success: Expected = { status: 204, result: 'success', commits: 1 };

const isCreate = (operation: Operation): boolean => operation === 'createToken';

/** What a status of Graph's means by which it did nothing. */
function toExpected(operation: Operation, status: number, retryAfter: number | undefined): Expected {
  switch (status) {
    case 400:
      return failed(400, 'graph_rejected', { attempts: 1 });
    case 401:
      return failed(502, 'upstream_failed', { attempts: 2 });
    case 403:
      return failed(403, 'graph_forbidden', { attempts: 1 });
    case 404:
      return failed(404, 'profile_not_found', { attempts: 1 });
    case 429:
      return failed(503, 'graph_throttled', retryAfter === undefined ? {} : { retryAfter, attempts: 1 });
    case 503:
      return failed(503, 'graph_unavailable', { retryAfter: retryAfter ?? 10, attempts: 1 });
    case 502:
    case 504:
      return unknown('outcome_unknown', 0);
    case 500:
    case 507:
    case 509:
      return isCreate(operation)
        ? failed(502, 'upstream_failed', { attempts: 1 })
        : unknown('outcome_unknown', 0);
    default:
      return failed(409, 'graph_conflict', { attempts: 1 });
  }
}

const STATUSES = [400, 401, 403, 404, 409, 412, 423, 429, 500, 502, 503, 504, 507, 509];
const SHAPES = [
  'graph',
  'intune',
  'intune-nested',
  'html',
  'empty',
  'broken',
  'array',
  'huge',
  'bomb',
] as const;
/** Seconds that the sandbox's Intune names in its body. */
const NAMED: Readonly<Record<string, number>> = { intune: 13, 'intune-nested': 17 };
const HOSTILE = {
  'set-cookie': 'session=x',
  location: 'https://evil.example/',
  link: '<x>',
  'x-ms-ags-diagnostic': 'x',
};

const statusCases = OPERATIONS.flatMap((operation) =>
  STATUSES.flatMap((status, row) =>
    SHAPES.filter((_, column) => IS_LONG || (row + column) % 4 === 0).map((body): FaultCase => ({
      name: `${operation}: ${status} ${body}`,
      operation,
      faults: [{ kind: 'answer', status, body, headers: HOSTILE, times: 'always' }],
      expected: toExpected(operation, status, NAMED[body]),
    })),
  ),
);

/** Graph acted, or not, and its answer says nothing of it: a create is read back, a revoke is not. */
const lostCases = OPERATIONS.flatMap((operation) => {
  const isSettled = isCreate(operation);
  const acted = isSettled ? success : unknown('outcome_unknown', 1);
  const invalidActed = isSettled ? success : unknown('upstream_invalid', 1);
  const rows: readonly (readonly [string, FaultInput, Expected])[] = [
    ['hang before acting', { kind: 'hang' }, unknown('outcome_unknown', 0)],
    ['hang after acting', { kind: 'hang', when: 'after' }, acted],
    ['reset before acting', { kind: 'reset' }, unknown('outcome_unknown', 0)],
    ['reset after acting', { kind: 'reset', when: 'after' }, acted],
    ['cut within the head', { kind: 'cut', at: 'head' }, acted],
    ['drip', { kind: 'drip', everyMs: 50 }, acted],
    ['100 and 101', { kind: 'informational', status: 101 }, invalidActed],
    ['103', { kind: 'informational', status: 103 }, success],
    ['the connection closed behind the answer', { kind: 'closeIdle' }, success],
    ['no length', { kind: 'answer', when: 'after', length: 'none' }, success],
    ['500 after acting', { kind: 'answer', when: 'after', status: 500 }, acted],
    ['504 after acting', { kind: 'answer', when: 'after', status: 504 }, acted],
    ['a late answer', { kind: 'delay', ms: 200, when: 'after' }, success],
    ['200 in place of 204', { kind: 'answer', status: 200, body: 'graph' }, unknown('upstream_invalid', 0)],
    ['202 after acting', { kind: 'answer', when: 'after', status: 202, body: 'empty' }, invalidActed],
    ['a redirect', { kind: 'answer', status: 307, headers: HOSTILE }, unknown('upstream_invalid', 0)],
    [
      'a redirect after acting',
      { kind: 'answer', when: 'after', status: 307, headers: HOSTILE },
      invalidActed,
    ],
    ['304 after acting', { kind: 'answer', when: 'after', status: 304, body: 'empty' }, invalidActed],
    ['501', { kind: 'answer', status: 501 }, unknown('outcome_unknown', 0)],
    ['524 after acting', { kind: 'answer', when: 'after', status: 524 }, acted],
    ['599', { kind: 'answer', status: 599, body: 'html' }, unknown('outcome_unknown', 0)],
  ];
  const sets = isSettled
    ? (['androidForWorkEnrollmentProfiles', 'androidDeviceOwnerEnrollmentProfiles'] as const)
    : (['androidDeviceOwnerEnrollmentProfiles'] as const);
  return rows.flatMap(([name, fault, expected]) =>
    sets.map((set): FaultCase => ({
      name: `${operation}: ${name}, ${set}`,
      operation,
      set,
      faults: [fault],
      expected,
    })),
  );
});

const createCases: readonly FaultCase[] = (
  [
    ['503 after acting', [{ kind: 'answer', when: 'after', status: 503 }], success],
    ['it acts after both looks', [{ kind: 'delay', ms: DEADLINE + 500 }], unknown('outcome_unknown', 1)],
    [
      'the first look comes too early',
      [
        { kind: 'reset', when: 'after' },
        { operation: 'get', kind: 'stale' },
      ],
      success,
    ],
    [
      'both looks come too early',
      [
        { kind: 'reset', when: 'after' },
        { operation: 'get', kind: 'stale', times: 2 },
      ],
      unknown('outcome_unknown', 1),
    ],
    [
      'the first look fails',
      [
        { kind: 'hang', when: 'after' },
        { operation: 'get', kind: 'answer', status: 500, body: 'html' },
      ],
      success,
    ],
    [
      '500, and nobody can look: not certain',
      [
        { kind: 'answer', status: 500 },
        { operation: 'get', kind: 'answer', status: 500, times: 'always' },
      ],
      unknown('outcome_unknown', 0),
    ],
    [
      '304 after acting, and nobody can look',
      [
        { kind: 'answer', when: 'after', status: 304, body: 'empty' },
        { operation: 'get', kind: 'answer', status: 404, times: 'always' },
      ],
      unknown('upstream_invalid', 1),
    ],
    [
      'lost, and nobody can look',
      [{ kind: 'reset' }, { operation: 'get', kind: 'reset', times: 'always' }],
      unknown('outcome_unknown', 0),
    ],
    ['401 once', [{ kind: 'answer', status: 401 }], { ...success, attempts: 2 }],
    ['429 once, without a time', [{ kind: 'answer', status: 429 }], { ...success, attempts: 2 }],
    [
      '429 once, with no time to wait: the pause is kept all the same',
      [{ kind: 'answer', status: 429, headers: { 'retry-after': '0' } }],
      { ...success, attempts: 2 },
    ],
    [
      '429 twice, without a time: the second pause is longer',
      [{ kind: 'answer', status: 429, body: 'empty', times: 2 }],
      { ...success, attempts: 3 },
    ],
    [
      '429 once, with a time that is left',
      [{ kind: 'answer', status: 429, headers: { 'retry-after': '1' } }],
      { ...success, attempts: 2 },
    ],
    [
      '401, then lost: not sent a third time',
      [{ kind: 'answer', status: 401 }, { kind: 'reset' }],
      { ...unknown('outcome_unknown', 0), attempts: 2 },
    ],
  ] satisfies readonly (readonly [string, readonly FaultInput[], Expected])[]
).map(([name, faults, expected]) => ({
  name: `createToken: ${name}`,
  operation: 'createToken',
  faults,
  expected,
}));

/** What takes longest goes first. */
const CASES: readonly FaultCase[] = [...createCases, ...lostCases, ...statusCases];
const AT_ONCE = 16;

test(`${CASES.length} faults of Graph: the answer, the record, and never two commits; and no secret anywhere`, async (t) => {
  const tenants = CASES.map(() => randomUUID());
  const { shown, replace } = collectErrors();
  const service = await startService(t, {
    environment: {
      ALLOWED_TENANT_IDS: [TENANT_ID, ...tenants].join(','),
      UPSTREAM_TIMEOUT_MS: String(TIMEOUT),
      REQUEST_DEADLINE_MS: String(DEADLINE),
      RATE_LIMIT_ADDRESS: 'off',
      RATE_LIMIT_CLIENT: 'off',
    },
    entra: { tenants: [TENANT_ID, ...tenants], canary: CANARY },
    graph: { canary: CANARY },
    replace,
  });
  const waiting = CASES.map((faultCase, index) => ({ faultCase, tenantId: tenants[index] ?? TENANT_ID }));
  const answers: string[] = [];
  const problems: unknown[] = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        try {
          answers.push(...(await runFaultCase(service, next.tenantId, next.faultCase)));
        } catch (error) {
          problems.push(error);
        }
      }
    }),
  );
  assert.deepEqual(problems, []);

  // What Entra says when it refuses or breaks must not get through either.
  for (const error of ['invalid_grant', 'invalid_client', 'interaction_required', 'server_error', CANARY]) {
    const actor = await createActor(service, TENANT_ID);
    service.entra.refuse(actor.user.objectId, {
      error,
      codes: [50013],
      message: `${CANARY} ${actor.token}`,
      suberror: `${CANARY} prose`,
      claims: { access_token: { a: 1 } },
    });
    answers.push((await actor.send()).text);
    const text = JSON.stringify({ access_token: `${CANARY}\n`, token_type: 'Bearer', expires_in: 60 });
    service.entra.faults.add({ operation: 'token', kind: 'answer', status: 200, body: { text } });
    answers.push((await (await createActor(service, TENANT_ID)).send()).text);
  }

  assert.ok(shown.length > CASES.length / 3);
  const everything = {
    answers: answers.join('\n'),
    log: service.logged(),
    audit: JSON.stringify(await service.audited()),
    metrics: await service.metrics.text(),
    errors: shown.join('\n'),
  };
  for (const [where, text] of Object.entries(everything)) {
    assert.ok(text.length > 1000, where);
    assert.ok(!text.includes(CANARY), `the canary is in the ${where}`);
    assert.doesNotMatch(text, /eyJ[\w-]{20,}\.[\w-]{20,}/, `a token is in the ${where}`);
    assert.doesNotMatch(
      text,
      /manage\.microsoft\.com|StatelessEnrollment/,
      `Intune's insides are in the ${where}`,
    );
  }
  assert.doesNotMatch(everything.answers, /127\.0\.0\.1/, 'an upstream is named to the caller');
});
