import { z } from 'zod';
import { ProblemError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { OutboundError, type Outbound, type OutboundResponse } from '../outbound.ts';
import { Secret } from '../secret.ts';
import type { Credential } from './credential.ts';
import { toExchangeProblem, type ToClaimsChallenge } from './entra-error.ts';
import type { Exchange, GraphToken } from './graph-token.ts';

const TokenAnswer = z.object({
  access_token: z
    .string()
    .min(1)
    .regex(/^[\x21-\x7e]+$/),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.coerce.number().int().positive(),
});

/** Opts into continuous access evaluation: the client says that it can handle claims challenges. */
const CAE_CLAIMS = '{"access_token":{"xms_cc":{"values":["cp1"]}}}';

/** Adds the client capability to the claims of a challenge, or stands alone. */
function withClientCapability(claims: string | undefined): string {
  if (claims === undefined) return CAE_CLAIMS;
  const challenge: unknown = JSON.parse(claims);
  const { access_token: asked } = z
    .looseObject({ access_token: z.looseObject({}).optional() })
    .parse(challenge);
  return JSON.stringify({ ...Object(challenge), access_token: { ...asked, xms_cc: { values: ['cp1'] } } });
}

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
  enableCae?: boolean;
  log: Logger;
  /** Told of every call to Entra: how it ended and how many milliseconds it took. */
  onExchange?: (result: ExchangeResult, durationMs: number) => void;
  now?: () => number;
}>;

const sameFields = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  a['client_secret'] === b['client_secret'] && a['client_assertion'] === b['client_assertion'];

/**
 * The on-behalf-of grant of Entra's v2.0 endpoint: one form POST to the tenant of the caller, never to /common.
 * A refused credential is read once more, in case its file was replaced a moment ago, and tried again only if it changed.
 */
export function createExchange(options: OnBehalfOfOptions): Exchange {
  const { send, authorityHost, graphBaseUrl, clientId, credential, toClaimsChallenge, log } = options;
  const { enableCae = false, onExchange, now = Date.now } = options;

  return async (caller, { claims, signal } = {}) => {
    const endpoint = `${authorityHost}/${caller.tenantId}/oauth2/v2.0/token`;
    const asked = enableCae ? withClientCapability(claims) : claims;

    const readCredential = async () => {
      try {
        return await credential(endpoint);
      } catch (cause) {
        log.error('the credential of this service cannot be read', { error: cause });
        throw new ProblemError(
          'credential_rejected',
          'The credential of this service cannot be read. Tell its operators.',
          {
            cause,
          },
        );
      }
    };

    const post = async (fields: Readonly<Record<string, string>>): Promise<GraphToken> => {
      const startedAt = now();
      const form = new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        client_id: clientId,
        ...fields,
        assertion: caller.assertion.reveal(),
        scope: `${graphBaseUrl}/.default`,
        requested_token_use: 'on_behalf_of',
        ...(asked !== undefined && { claims: asked }),
      });
      let response: OutboundResponse;
      try {
        response = await send({
          method: 'POST',
          url: endpoint,
          headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
          body: form.toString(),
          ...(signal && { signal }),
        });
      } catch (cause) {
        onExchange?.('failed', now() - startedAt);
        throw toUnreachable(cause);
      }
      const token = response.status === 200 ? parseTokenAnswer(response.body, now()) : undefined;
      if (token) {
        onExchange?.('success', now() - startedAt);
        return claims === undefined ? token : { ...token, claims };
      }
      const problem = toExchangeProblem(response, {
        tenantId: caller.tenantId,
        toClaimsChallenge,
        now: now(),
      });
      onExchange?.(problem.status < 500 ? 'refused' : 'failed', now() - startedAt);
      throw problem;
    };

    const fields = await readCredential();
    try {
      return await post(fields);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (error.code === 'credential_rejected') {
        const current = await readCredential();
        if (!sameFields(current, fields)) return await post(current);
        log.error('Entra refuses the credential of this service', { error });
      }
      if (error.code === 'invalid_token') {
        log.warn(
          'Entra refused a token that passed the check here: compare the app registration with the settings',
          {
            error,
          },
        );
      }
      throw error;
    }
  };
}

function parseTokenAnswer(body: string, now: number): GraphToken | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const answer = TokenAnswer.safeParse(json).data;
  return answer && { value: new Secret(answer.access_token), expiresAt: now + answer.expires_in * 1000 };
}

function toUnreachable(cause: unknown): unknown {
  if (!(cause instanceof OutboundError)) return cause;
  // Nothing went to Graph yet, so a deadline that ends here is certain.
  return cause.reason === 'aborted'
    ? new ProblemError('upstream_timeout', undefined, { cause })
    : new ProblemError('entra_unavailable', undefined, { cause, retryAfterSeconds: 5 });
}
