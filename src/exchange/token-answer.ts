import { z } from 'zod';
import { Secret } from '../secret.ts';
import type { GraphToken } from './graph-token.ts';

const TokenAnswer = z.object({
  // Fit for a header, and nothing more is known of it.
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  token_type: z.string().regex(/^bearer$/i),
  /** Seconds. */
  expires_in: z.coerce.number().int().positive(),
});

/** The body of a successful exchange (RFC 6749 section 5.1); `undefined` for anything else. */
export function readTokenAnswer(body: string, now: number): GraphToken | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const answer = TokenAnswer.safeParse(json).data;
  return answer && { value: new Secret(answer.access_token), expiresAt: now + answer.expires_in * 1000 };
}
