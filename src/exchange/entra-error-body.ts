import { z } from 'zod';

/** What goes into the log as it came: the words of OAuth and Entra, no prose, and nothing that could be a secret. */
const Name = z.string().regex(/^[a-z_]{1,64}$/);

const Body = z.object({
  error: Name,
  suberror: Name.optional().catch(undefined),
  error_codes: z.array(z.number()).optional().catch(undefined),
  /** A JSON string. */
  claims: z.string().optional().catch(undefined),
  correlation_id: z.guid().optional().catch(undefined),
});

/** Entra's error (RFC 6749 section 5.2 and Microsoft's additions): the members that are acted upon or logged. */
export type EntraErrorBody = z.infer<typeof Body>;

export function readEntraErrorBody(body: string): EntraErrorBody | undefined {
  try {
    return Body.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
