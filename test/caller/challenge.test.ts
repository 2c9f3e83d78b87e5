import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { toChallenge } from '../../src/caller/challenge.ts';
import { AUTHORITY, CLIENT, TENANT } from './support/tenant.ts';

const api = { authorityHost: AUTHORITY, clientId: CLIENT };
const where = `Bearer realm="", authorization_uri="${AUTHORITY}/${TENANT}/oauth2/v2.0/authorize", client_id="${CLIENT}"`;

test('names no error when no token came', () => {
  assert.equal(toChallenge(api, { tenantId: TENANT }), where);
});

test('names the error, and the scope that is lacking', () => {
  assert.equal(
    toChallenge(api, {
      tenantId: TENANT,
      error: 'insufficient_scope',
      description: 'Lacks it.',
      scope: 'api://x/A',
    }),
    `${where}, error="insufficient_scope", error_description="Lacks it.", scope="api://x/A"`,
  );
});

test('security: no text ends a quoted string or begins another header', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (description, scope) => {
      const challenge = toChallenge(api, { tenantId: TENANT, error: 'invalid_token', description, scope });
      assert.match(
        challenge.slice(where.length),
        /^, error="invalid_token", error_description="[\x20\x21\x23-\x5b\x5d-\x7e]*", scope="[\x20\x21\x23-\x5b\x5d-\x7e]*"$/,
      );
    }),
  );
  const injected = toChallenge(api, {
    tenantId: TENANT,
    error: 'invalid_token',
    description: 'a"\r\nSet-Cookie: x=1\\',
  });
  assert.doesNotMatch(injected, /[\r\n\\]|a"/);
});
