import { toEmptyAnswer, toJsonAnswer, type Answer } from '../http/answer.ts';
import type { Incoming } from '../http/incoming.ts';
import { toTenantTemplate, toV2Issuer } from './authority.ts';
import { toMetadata } from './metadata.ts';
import type { SigningKeys } from './signing-keys.ts';

export type EntraOperation = 'metadata' | 'keys' | 'token' | 'other';

type Routed = Readonly<{ operation: EntraOperation; act: () => Answer | Promise<Answer> }>;

type RouteOptions = Readonly<{
  authorityHost: () => string;
  tenants: ReadonlySet<string>;
  keys: SigningKeys;
  answerTokenRequest: (tenantId: string, request: Incoming) => Promise<Answer>;
}>;

const SHARED = new Set(['common', 'organizations']);

/** Finds what a request asks of Entra. */
export function createEntraRoutes({ authorityHost, tenants, keys, answerTokenRequest }: RouteOptions) {
  return (request: Incoming): Routed => {
    const [, tenant = '', ...rest] = request.path.split('/');
    const route = `${request.method} ${rest.join('/')}`;
    const known = tenants.has(tenant) || SHARED.has(tenant);

    switch (route) {
      case 'GET v2.0/.well-known/openid-configuration':
      case 'GET .well-known/openid-configuration':
        return {
          operation: 'metadata',
          act: () =>
            known
              ? toJsonAnswer(200, toMetadata(authorityHost(), tenant, rest.length === 3 ? '2.0' : '1.0'))
              : toJsonAnswer(400, { error: 'invalid_tenant', error_codes: [90002] }),
        };
      case 'GET discovery/v2.0/keys':
        return {
          operation: 'keys',
          act: () => toJsonAnswer(200, keys.published(toV2Issuer(authorityHost(), toTenantTemplate(tenant)))),
        };
      case 'GET discovery/keys':
        return { operation: 'keys', act: () => toJsonAnswer(200, keys.published()) };
      case 'POST oauth2/v2.0/token':
        return { operation: 'token', act: () => answerTokenRequest(tenant, request) };
      default:
        return { operation: 'other', act: () => toEmptyAnswer(404) };
    }
  };
}
