import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorise } from '../../src/caller/authorise.ts';
import type { Caller } from '../../src/caller/caller.ts';
import { ProblemError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import { AUDIENCES, AUTHORITY, CLIENT, FRONT_END, TENANT, USER } from './support/tenant.ts';

const api = { clientId: CLIENT, audiences: AUDIENCES, authorityHost: AUTHORITY };
const caller: Caller = {
  tenantId: TENANT,
  objectId: USER,
  clientId: FRONT_END,
  scopes: ['EnrollmentToken.Read', 'EnrollmentToken.Create'],
  expiresAt: 0,
  assertion: new Secret('a.b.c'),
  assertionHash: 'abc',
};

function refusal(work: () => void): ProblemError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof ProblemError);
    return error;
  }
  return assert.fail('not refused');
}

test('admits a caller with the scope from an application of the list, or from any', () => {
  authorise(caller, { api, scope: 'EnrollmentToken.Create', allowedClientIds: [FRONT_END] });
  authorise(caller, { api, scope: 'EnrollmentToken.Read', allowedClientIds: '*' });
});

for (const scope of [
  'EnrollmentToken.Revoke',
  'enrollmenttoken.create',
  'EnrollmentToken',
  'EnrollmentToken.Create EnrollmentToken.Read',
  '',
]) {
  test(`refuses a caller without the scope "${scope}"`, () => {
    const problem = refusal(() => {
      authorise(caller, { api, scope, allowedClientIds: '*' });
    });
    assert.equal(problem.code, 'insufficient_scope');
    assert.match(problem.options.challenge ?? '', /error="insufficient_scope"/);
    assert.ok(problem.options.challenge?.endsWith(`, scope="api://${CLIENT}/${scope}"`));
    assert.ok(problem.message.includes(`api://${CLIENT}/${scope}`));
  });
}

test('names the client id where there is no App ID URI', () => {
  const problem = refusal(() => {
    authorise(caller, { api: { ...api, audiences: [CLIENT] }, scope: 'X', allowedClientIds: '*' });
  });
  assert.ok(problem.message.includes(`${CLIENT}/X`));
});

for (const allowedClientIds of [[], [CLIENT], ['*'], [FRONT_END.slice(1)]]) {
  test(`refuses an application that is not in [${allowedClientIds.join()}], and names it`, () => {
    const problem = refusal(() => {
      authorise(caller, { api, scope: 'EnrollmentToken.Create', allowedClientIds });
    });
    assert.equal(problem.code, 'client_not_allowed');
    assert.equal(problem.message, `The application ${FRONT_END} is not in ALLOWED_CLIENT_IDS.`);
    assert.equal(problem.options.challenge, undefined);
  });
}
