import { z } from 'zod';
import type { Sandbox } from '../support/sandbox.ts';
import { sendRequest, type Sent } from './send-request.ts';

export type Form = Readonly<Record<string, string | undefined>>;

/** The form of an on-behalf-of exchange, with the client secret; `undefined` takes a field away. */
export function toForm({ entra, graph }: Sandbox, assertion: string, changes: Form = {}): URLSearchParams {
  const fields: Form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    client_id: entra.client.clientId,
    client_secret: entra.clientSecret,
    assertion,
    scope: `${graph.url}/.default`,
    requested_token_use: 'on_behalf_of',
    ...changes,
  };
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  return form;
}

export const postForm = (
  { ca, entra }: Sandbox,
  body: URLSearchParams,
  tenant = entra.tenantId,
): Promise<Sent> => sendRequest(`${entra.url}/${tenant}/oauth2/v2.0/token`, { ca: ca.caPem, body });

const Success = z.object({ access_token: z.string(), expires_in: z.number(), scope: z.string() });

/** A Graph token for a caller's token. */
export async function exchange(sandbox: Sandbox, assertion: string, changes: Form = {}) {
  const { body } = await postForm(sandbox, toForm(sandbox, assertion, changes));
  return Success.parse(JSON.parse(body));
}
