import { z } from 'zod';
import { isBodyShape } from './body-shapes.ts';

/** Whether the request has its effect (a token created, a journal entry) before the fault strikes, or none at all. */
const when = z.enum(['before', 'after']);

const answer = z.strictObject({
  kind: z.literal('answer'),
  /** `after`: acts, then answers like this all the same. Default: `before`, and never acts. */
  when: when.default('before'),
  /** Default: the true one with `after`, else 500. */
  status: z.int().min(200).max(599).optional(),
  /** Default: the true body with `after`, else Graph's plain error. */
  body: z.union([z.string().refine(isBodyShape), z.strictObject({ text: z.string() })]).optional(),
  /** Added to the answer; an empty string takes a header away. */
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
  /** How the length of the body is told: by `content-length`, in chunks, or by the end of the connection. */
  length: z.enum(['known', 'chunked', 'none']).default('known'),
});

const effect = z.discriminatedUnion('kind', [
  answer,
  /** Waits; `before`: then acts, even if the caller has gone; `after`: acts at once and answers late. */
  z.strictObject({ kind: z.literal('delay'), when: when.default('before'), ms: z.number().nonnegative() }),
  /** Never answers. */
  z.strictObject({ kind: z.literal('hang'), when: when.default('before') }),
  /** Ends the connection with a TCP reset. */
  z.strictObject({ kind: z.literal('reset'), when: when.default('before') }),
  /** Acts, announces the true length, and ends the connection within the head or the body. */
  z.strictObject({ kind: z.literal('cut'), at: z.enum(['head', 'body']).default('body') }),
  /** Acts, and sends head and body byte by byte. */
  z.strictObject({ kind: z.literal('drip'), everyMs: z.number().positive().default(100) }),
  /** Acts, and sends this 1xx answer before the true one. */
  z.strictObject({ kind: z.literal('informational'), status: z.int().min(101).max(199).default(103) }),
  /** Acts and answers; the connection, which looked reusable, is then ended. */
  z.strictObject({ kind: z.literal('closeIdle') }),
  /** Acts on what stood there before the last create or revoke: a read that comes too early. */
  z.strictObject({ kind: z.literal('stale') }),
]);

const matching = z.object({
  /** `createToken`, `revokeToken`, `list`, `get` of Graph; `metadata`, `keys`, `token` of Entra. Default: any. */
  operation: z.string().optional(),
  /** `oid` of the user; default: any. */
  user: z.string().optional(),
  /** How many matching requests pass unharmed first. */
  skip: z.int().nonnegative().default(0),
  /** How many are struck, `always` until cleared. */
  times: z.union([z.int().positive(), z.literal('always')]).default(1),
});

export type Effect = z.output<typeof effect>;
export type Fault = Readonly<{ match: z.output<typeof matching>; effect: Effect }>;

/** A fault as tests and `POST /sandbox/faults` write it, for example `{operation: 'createToken', kind: 'hang', when: 'after'}`. */
export type FaultInput = z.input<typeof matching> & z.input<typeof effect>;

/** Throws a ZodError that names what is wrong. */
export function parseFault(input: unknown): Fault {
  const { operation, user, skip, times, ...rest } = matching.loose().parse(input);
  return {
    match: {
      skip,
      times,
      ...(operation !== undefined && { operation }),
      ...(user !== undefined && { user }),
    },
    effect: effect.parse(rest),
  };
}
