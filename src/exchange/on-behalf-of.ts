import type { Caller } from '../caller/caller.ts';
import { ProblemError, type ProblemCode } from '../errors.ts';
import type { Logger } from '../log.ts';
import { OutboundError, type Outbound, type OutboundResponse } from '../outbound.ts';
import { withClientCapability } from './claims.ts';
import type { Credential, Proof } from './credential.ts';
import { toExchangeProblem, type ToClaimsChallenge } from './entra-error.ts';
import type { Exchange, GraphToken } from './graph-token.ts';
import { readTokenAnswer } from './token-answer.ts';

/** `refused`: Entra said no; `failed`: it gave no usable answer. */
export type ExchangeResult = 'success' | 'refused' | 'failed';

type OnBehalfOfOptions = Readonly<{
  send: Outbound;
  /** Origin of Entra. */
  authorityHost: string;
  graphBaseUrl: string;
  clientId: string;
  credential: Credential;
  toClaimsChallenge: ToClaimsChallenge;
  /** Takes part in continuous access evaluation. */
  enableCae?: boolean;
  log: Logger;
  /** Told of every call to Entra: how it ended and how many milliseconds it took. */
  onExchange?: (result: ExchangeResult, durationMs: number) => void;
  now?: () => number;
}>;

const UNEXPECTED_REFUSAL =
  'Entra refused a token that passed the check here: compare the app registration with the settings';

/**
 * The on-behalf-of grant of Entra's v2.0 endpoint: one form POST to the tenant of the caller, never to /common.
 * A refused credential is read once more, in case its file was replaced a moment ago, and tried again only if it was.
 */
export function createExchange(options: OnBehalfOfOptions): Exchange {
  const { send, authorityHost, graphBaseUrl, clientId, toClaimsChallenge, log } = options;
  const { enableCae = false, onExchange, now = Date.now } = options;

  const readCredential = async (endpoint: string): Promise<Proof> => {
    try {
      return await options.credential(endpoint);
    } catch (cause) {
      log.error('the credential of this service cannot be read', { error: cause });
      const message = 'The credential of this service cannot be read. Tell its operators.';
      throw new ProblemError('credential_rejected', message, { cause });
    }
  };

  const post = async (url: string, form: Readonly<Record<string, string>>, signal?: AbortSignal) => {
    try {
      return await send({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams(form).toString(),
        ...(signal && { signal }),
      });
    } catch (error) {
      throw toUnreachable(error);
    }
  };

  const toToken = (response: OutboundResponse, { tenantId }: Caller): GraphToken => {
    const token = response.status === 200 ? readTokenAnswer(response.body, now()) : undefined;
    if (token) return token;
    throw toExchangeProblem(response, { tenantId, toClaimsChallenge, now: now() });
  };

  return async (caller, { claims, deadline } = {}) => {
    const endpoint = `${authorityHost}/${caller.tenantId}/oauth2/v2.0/token`;
    const asked = enableCae ? withClientCapability(claims) : claims;

    const call = async ({ fields }: Proof): Promise<GraphToken> => {
      const startedAt = now();
      let result: ExchangeResult = 'failed';
      const form = {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        client_id: clientId,
        ...fields,
        assertion: caller.assertion.reveal(),
        scope: `${graphBaseUrl}/.default`,
        requested_token_use: 'on_behalf_of',
        ...(asked !== undefined && { claims: asked }),
      };
      try {
        const token = toToken(await post(endpoint, form, deadline?.signal), caller);
        result = 'success';
        return claims === undefined ? token : { ...token, claims };
      } catch (error) {
        if (error instanceof ProblemError && error.status < 500) result = 'refused';
        if (isProblem(error, 'invalid_token')) log.warn(UNEXPECTED_REFUSAL, { error });
        throw error;
      } finally {
        onExchange?.(result, now() - startedAt);
      }
    };

    let proof = await readCredential(endpoint);
    for (;;) {
      try {
        return await call(proof);
      } catch (error) {
        if (!isProblem(error, 'credential_rejected')) throw error;
        const current = await readCredential(endpoint);
        if (current.origin === proof.origin) {
          log.error('Entra refuses the credential of this service', { error });
          throw error;
        }
        proof = current;
      }
    }
  };
}

const isProblem = (error: unknown, code: ProblemCode): error is ProblemError =>
  error instanceof ProblemError && error.code === code;

/** Nothing went to Graph yet, so a time that runs out here is certain. */
function toUnreachable(cause: unknown): unknown {
  if (!(cause instanceof OutboundError)) return cause;
  return cause.reason === 'aborted' || cause.reason === 'timeout'
    ? new ProblemError('upstream_timeout', undefined, { cause })
    : new ProblemError('entra_unavailable', undefined, { cause, retryAfterSeconds: 5 });
}
