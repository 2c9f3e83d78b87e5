import { z } from 'zod';
import { RefusedError } from './refusal.ts';

const RequestedClaims = z.looseObject({
  access_token: z.looseObject({ xms_cc: z.object({ values: z.array(z.string()) }).optional() }).optional(),
});

export type ExchangeForm = Readonly<{
  clientId: string;
  /** Origin of the resource asked for, which may be none. */
  audience: string;
  assertion: string;
  claims: z.infer<typeof RequestedClaims> | undefined;
}>;

/** RFC 7523 section 2.1; Microsoft's on-behalf-of is this grant with `requested_token_use`. */
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** The form of an on-behalf-of request. Throws RefusedError for a field that is missing or wrong. */
export function parseExchangeForm(form: URLSearchParams): ExchangeForm {
  const clientId = requireField(form, 'client_id');
  if (requireField(form, 'grant_type') !== GRANT_TYPE) {
    const message = 'The app requested an unsupported grant type.';
    throw new RefusedError({ error: 'unsupported_grant_type', codes: [70003], message });
  }
  if (requireField(form, 'requested_token_use') !== 'on_behalf_of') throw toMissing('requested_token_use');
  return {
    clientId,
    audience: readResource(requireField(form, 'scope')),
    assertion: requireField(form, 'assertion'),
    claims: readClaims(form.get('claims')),
  };
}

const toMissing = (name: string): RefusedError =>
  new RefusedError({
    error: 'invalid_request',
    codes: [900144],
    message: `The request body must contain the following parameter: '${name}'.`,
  });

function requireField(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value === null || value === '') throw toMissing(name);
  return value;
}

/** The origin of a scope `{origin}/.default`, alone or among others. */
function readResource(scope: string): string {
  const wanted = scope.split(' ').find((one) => one.endsWith('/.default')) ?? '';
  return wanted.slice(0, -'/.default'.length).replace(/\/$/, '');
}

function readClaims(text: string | null): ExchangeForm['claims'] {
  if (text === null) return undefined;
  try {
    return RequestedClaims.parse(JSON.parse(text));
  } catch {
    const message = 'The claims parameter is no JSON.';
    throw new RefusedError({ error: 'invalid_request', codes: [900235], message });
  }
}
