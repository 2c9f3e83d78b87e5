import createOpenapiClient, { type Client } from 'openapi-fetch';
import type { paths } from './client/paths.ts';

export type { components, operations, paths } from './client/paths.ts';

/** What is to be had where the callers are: probes and metrics have a port of their own. */
type PublicPaths = Omit<paths, '/livez' | '/readyz' | '/metrics'>;

export type EnrollmentClientOptions = Readonly<{
  /** Where this service is. */
  baseUrl: string;
  /** An access token of Microsoft Entra ID for this API; asked for before every request. */
  getToken: () => string | Promise<string>;
  fetch?: (request: Request) => Promise<Response>;
}>;

/** A client of this service whose paths, parameters, answers and errors are typed by openapi.json. For browsers and Node.js. */
export function createEnrollmentClient({
  baseUrl,
  getToken,
  fetch,
}: EnrollmentClientOptions): Client<PublicPaths> {
  const client = createOpenapiClient<PublicPaths>({ baseUrl, ...(fetch && { fetch }) });
  client.use({
    onRequest: async ({ request }) => {
      request.headers.set('authorization', `Bearer ${await getToken()}`);
      return request;
    },
  });
  return client;
}
