import { randomUUID } from 'node:crypto';
import { toJsonAnswer, type Answer } from '../http/answer.ts';
import type { Incoming } from '../http/incoming.ts';
import { verifyAssertion } from './assertion.ts';
import { toTokenEndpoint } from './authority.ts';
import type { CheckCredential, CredentialKind } from './client-credential.ts';
import type { ClientRegistration } from './client-registration.ts';
import { parseExchangeForm } from './exchange-form.ts';
import type { GraphTokens } from './graph-tokens.ts';
import type { ExchangeEntry } from './journal.ts';
import { RefusedError, toRefusalAnswer, type Refusal } from './refusal.ts';
import type { SigningKey } from './signing-keys.ts';

export type TokenEndpointOptions = Readonly<{
  authorityHost: () => string;
  tenants: ReadonlySet<string>;
  client: ClientRegistration;
  checkCredential: CheckCredential;
  /** The keys by which assertions are checked. */
  keys: () => readonly SigningKey[];
  graphTokens: GraphTokens;
  /** Origins of the Graphs that may be asked for. */
  resources: ReadonlySet<string>;
  /** What is put upon this user. */
  refusalOf: (user: string) => Refusal | undefined;
  record: (entry: ExchangeEntry) => void;
  /** Default life of a Graph token, in seconds. */
  lifetimeSeconds: number;
  now: () => number;
}>;

/** Entra gives longer tokens to clients that handle claims challenges. */
const LIFETIME_WITH_CHALLENGES_SECONDS = 24 * 60 * 60;

type Progress = { user?: string; credential?: CredentialKind };

/** `POST /{tenant}/oauth2/v2.0/token` for the on-behalf-of grant. */
export function createTokenEndpoint(options: TokenEndpointOptions) {
  const { client, resources, graphTokens, now } = options;

  /** RFC 6749 section 4.4: a token of the application itself. */
  const issueToApplication = async (
    tenantId: string,
    form: URLSearchParams,
    progress: Progress,
  ): Promise<Answer> => {
    const audience = (form.get('scope') ?? '').replace(/\/\.default$/, '');
    if (form.get('client_id') !== client.clientId || !resources.has(audience)) {
      const message = 'The application or the scope is not known.';
      throw new RefusedError({ error: 'invalid_request', codes: [900144], message });
    }
    const endpoint = toTokenEndpoint(options.authorityHost(), tenantId);
    progress.credential = await options.checkCredential(form, endpoint);
    const seconds = options.lifetimeSeconds;
    const token = graphTokens.issue({
      tenantId,
      user: client.clientId,
      clientId: client.clientId,
      audience,
      claims: undefined,
      handlesChallenges: false,
      expiresAt: now() + seconds * 1000,
    });
    return toJsonAnswer(200, { token_type: 'Bearer', expires_in: seconds, access_token: token });
  };

  const exchange = async (tenantId: string, form: URLSearchParams, progress: Progress): Promise<Answer> => {
    if (!options.tenants.has(tenantId)) {
      throw new RefusedError({
        error: 'invalid_request',
        codes: [90002],
        message: `Tenant '${tenantId}' not found.`,
      });
    }
    if (form.get('grant_type') === 'client_credentials') return issueToApplication(tenantId, form, progress);
    const { clientId, audience, assertion, claims } = parseExchangeForm(form);
    if (clientId !== client.clientId) {
      const message = 'Application was not found in the directory.';
      throw new RefusedError({ error: 'unauthorized_client', codes: [700016], message });
    }
    if (!resources.has(audience)) {
      throw new RefusedError({ error: 'invalid_scope', codes: [70011], message: 'The scope is not valid.' });
    }
    const authorityHost = options.authorityHost();
    progress.credential = await options.checkCredential(form, toTokenEndpoint(authorityHost, tenantId));
    const { objectId } = await verifyAssertion(assertion, {
      authorityHost,
      tenantId,
      audiences: client.audiences,
      keys: options.keys(),
      now: now(),
    });
    progress.user = objectId;
    const refusal = options.refusalOf(objectId);
    if (refusal !== undefined) throw new RefusedError(refusal);

    const handlesChallenges = claims?.access_token?.xms_cc?.values.includes('cp1') ?? false;
    const seconds = handlesChallenges ? LIFETIME_WITH_CHALLENGES_SECONDS : options.lifetimeSeconds;
    const token = graphTokens.issue({
      tenantId,
      user: objectId,
      clientId: client.clientId,
      audience,
      claims,
      handlesChallenges,
      expiresAt: now() + seconds * 1000,
    });
    return toJsonAnswer(
      200,
      {
        token_type: 'Bearer',
        scope: `${audience}/DeviceManagementConfiguration.ReadWrite.All ${audience}/.default`,
        expires_in: seconds,
        ext_expires_in: seconds,
        access_token: token,
      },
      { 'cache-control': 'no-store, no-cache', pragma: 'no-cache', 'x-ms-request-id': randomUUID() },
    );
  };

  return async (tenantId: string, { body, headers }: Incoming): Promise<Answer> => {
    const form = new URLSearchParams(body);
    const progress: Progress = {};
    const sent = headers['client-request-id'];
    const correlationId = typeof sent === 'string' ? sent : randomUUID();
    let answer: Answer;
    let code: number | undefined;
    try {
      answer = await exchange(tenantId, form, progress);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      code = error.refusal.codes[0];
      answer = toRefusalAnswer(error.refusal, { now: now(), correlationId });
    }
    const claims = form.get('claims');
    options.record({
      at: now(),
      tenantId,
      ...progress,
      ...(claims !== null && { claims }),
      scope: form.get('scope') ?? '',
      status: answer.status,
      ...(code !== undefined && { code }),
      correlationId,
    });
    return answer;
  };
}
