import assert from 'node:assert/strict';
import type { ProblemCode } from '../../src/errors.ts';
import { ProblemError } from '../../src/errors.ts';
import { DAEMON, OTHER_TENANT_ID, READER } from '../../sandbox/directory.ts';
import type { Service, ServiceOptions } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A request that differs from a good createToken in what is named. */
export type Asked = Readonly<{
  method?: string;
  path?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** What the token is to hold; `undefined`: no token. */
  token?: Parameters<Service['bearer']>[0] | undefined;
}>;

export type ProblemCase = Readonly<{
  /** A service of its own, where the shared one will not do. */
  options?: ServiceOptions;
  /** Brings the cause about. */
  prepare?: (service: Service) => void | Promise<unknown>;
  ask: Asked | ((service: Service) => Asked);
  /** Takes a read-back, a second or more: asked once only. */
  slow?: true;
}>;

const FOREIGN = '99999999-9999-4999-8999-999999999999';
const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';
const HOUR_AGO = Math.floor(Date.now() / 1000) - 3600;
const ofReader = { user: READER };

const toPath = (id: string) =>
  `/beta/deviceManagement/androidDeviceOwnerEnrollmentProfiles/${id}/createToken`;

const refusedByEntra = (name: Parameters<Service['entra']['refuse']>[1]): ProblemCase => ({
  prepare: ({ entra }) => entra.refuse(READER.objectId, name),
  ask: { token: ofReader },
});

const answeredByGraph = (status: number, headers: Readonly<Record<string, string>> = {}): ProblemCase => ({
  prepare: ({ graph }) => graph.faults.add({ operation: 'createToken', kind: 'answer', status, headers }),
  ask: {},
});

/** For causes that a single request from outside cannot bring about. */
const thrownByAPart = (code: ProblemCode): ProblemCase => ({
  options: {
    replace: ({ enrollment }) => ({
      enrollment: { ...enrollment, create: async () => Promise.reject(new ProblemError(code)) },
    }),
  },
  ask: {},
});

/** A first request that Graph keeps until the second one has been refused. */
function keepUntilRefused(): ServiceOptions {
  let goOn = () => {};
  return {
    wrap: {
      append: (append) => append,
      send: (send) => async (request) => {
        if (!request.url.endsWith('/createToken')) return send(request);
        const refused = new Promise<void>((resolve) => {
          goOn = resolve;
        });
        const answer = await send(request);
        await refused;
        return answer;
      },
    },
    replace: ({ recordRefusal }) => ({
      recordRefusal: async (refusal) => {
        goOn();
        await recordRefusal(refusal);
      },
    }),
  };
}

let keys = 0;
const withKey = (): Asked => ({ headers: { 'idempotency-key': `key-${keys}` } });

async function createWithKey(service: Service, tokenValidityInSeconds: number): Promise<Response> {
  return fetch(service.url + service.createPath(), {
    method: 'POST',
    headers: { ...(await service.bearer()), 'content-type': 'application/json', ...withKey().headers },
    body: JSON.stringify({ tokenValidityInSeconds }),
  });
}

/** How each row of the table is reached over HTTP. The type makes a forgotten row a type error. */
export const PROBLEM_CASES: Readonly<Record<ProblemCode, ProblemCase>> = {
  invalid_profile_id: { ask: { path: toPath('profile-1') } },
  invalid_body: { ask: { body: '[]' } },
  invalid_validity: { ask: { body: '{"tokenValidityInSeconds":0}' } },
  invalid_query: {
    ask: {
      method: 'GET',
      path: '/beta/deviceManagement/androidDeviceOwnerEnrollmentProfiles?$select=wifiPassword',
      body: '',
      token: { scope: 'EnrollmentToken.Read' },
    },
  },
  invalid_idempotency_key: { ask: { headers: { 'idempotency-key': 'with space' } } },
  graph_rejected: answeredByGraph(400),

  missing_token: { ask: { token: undefined } },
  invalid_token: { ask: { token: undefined, headers: { authorization: 'Bearer x.y.z' } } },
  token_expired: {
    ask: { token: { claims: { nbf: HOUR_AGO - 3600, iat: HOUR_AGO - 3600, exp: HOUR_AGO } } },
  },
  token_not_yet_valid: { ask: { token: { claims: { nbf: HOUR_AGO + 2 * 3600 } } } },
  wrong_audience: { ask: { token: { audience: '00000003-0000-0000-c000-000000000000' } } },
  wrong_issuer: { ask: { token: { claims: { iss: 'https://issuer.example/' } } } },
  claims_challenge: refusedByEntra('interaction_required'),

  insufficient_scope: { ask: { token: { scope: 'EnrollmentToken.Read' } } },
  app_only_token: { ask: { token: { user: DAEMON, roles: ['EnrollmentToken.Create'] } } },
  client_not_allowed: { ask: { token: { clientId: FOREIGN } } },
  tenant_not_allowed: { ask: { token: { tenantId: OTHER_TENANT_ID } } },
  personal_account: { ask: { token: { tenantId: PERSONAL_TENANT } } },
  consent_required: refusedByEntra('consent_required'),
  policy_denied: refusedByEntra('not_assigned'),
  graph_forbidden: {
    prepare: ({ entra, graph }) => {
      entra.refuse(READER.objectId, undefined);
      graph.access.setRole(READER.objectId, false);
    },
    ask: { token: ofReader },
  },

  unknown_route: { ask: { path: '/beta/deviceManagement' } },
  profile_not_found: { ask: { path: toPath(FOREIGN) } },
  method_not_allowed: { ask: { method: 'PUT' } },
  not_acceptable: { ask: { headers: { accept: 'text/html' } } },
  body_too_large: { ask: { body: ' '.repeat(4097) } },
  unsupported_media_type: { ask: { headers: { 'content-type': 'text/plain' } } },

  request_in_progress: {
    options: keepUntilRefused(),
    prepare: async (service) => {
      const { journal } = service.graph;
      const begun = journal.requests.length;
      keys += 1;
      void createWithKey(service, 3600);
      await waitUntil(() => journal.requests.length > begun);
    },
    ask: withKey,
  },
  concurrent_creation: thrownByAPart('concurrent_creation'),
  graph_conflict: answeredByGraph(409),
  idempotency_key_reused: {
    prepare: async (service) => {
      keys += 1;
      assert.equal((await createWithKey(service, 60)).status, 204);
    },
    ask: withKey,
  },
  rate_limited: {
    options: { environment: { RATE_LIMIT_USER: '1/60' } },
    prepare: (service) => createWithKey(service, 60),
    ask: {},
  },

  internal_error: {
    options: {
      replace: ({ enrollment }) => ({
        enrollment: {
          ...enrollment,
          create: async () => Promise.reject(new TypeError('a bug, and its text')),
        },
      }),
    },
    ask: {},
  },
  credential_rejected: refusedByEntra('invalid_client'),
  outcome_unrecorded: thrownByAPart('outcome_unrecorded'),

  upstream_invalid: answeredByGraph(302, { location: 'https://elsewhere.example/' }),
  upstream_failed: { ...answeredByGraph(500), slow: true },
  outcome_unknown: {
    prepare: ({ graph }) => graph.faults.add({ operation: 'createToken', kind: 'reset' }),
    ask: {},
    slow: true,
  },

  entra_unavailable: refusedByEntra('temporarily_unavailable'),
  graph_unavailable: { ...answeredByGraph(503), slow: true },
  graph_throttled: { ...answeredByGraph(429, { 'retry-after': '60' }), options: {} },
  audit_unavailable: { options: {}, prepare: ({ journal }) => journal.close(), ask: {} },
  limiter_unavailable: {
    options: {
      replace: ({ limiter }) => ({
        limiter: { ...limiter, decide: async () => Promise.reject(new ProblemError('limiter_unavailable')) },
      }),
    },
    ask: {},
  },
  idempotency_unavailable: thrownByAPart('idempotency_unavailable'),
  shutting_down: { options: {}, prepare: (service) => service.setDraining(true), ask: {} },

  upstream_timeout: {
    options: { environment: { REQUEST_DEADLINE_MS: '300' } },
    prepare: ({ entra }) => entra.faults.add({ operation: 'token', kind: 'hang', times: 'always' }),
    ask: {},
  },
};
