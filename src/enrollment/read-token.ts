import { ProblemError, toProblem } from '../errors.ts';
import { parseEnrollmentToken, type EnrollmentToken } from '../graph/enrollment-token.ts';
import type { GraphClient } from '../graph/graph-client.ts';
import { TOKEN_FIELDS } from '../graph/profile-fields.ts';
import type { Profile } from '../graph/profile.ts';
import type { ClockSkew, SkewEstimate } from './clock-skew.ts';
import { readQrCode } from './qr-code.ts';
import type { ReadGraph } from './read-graph.ts';
import type { WriteContext } from './write-attempt.ts';
import type { Upstream } from './write-outcome.ts';

/** A token with its QR code as a PNG. */
export type ReadableToken = EnrollmentToken & Readonly<{ qrCode: Buffer }>;

export type TokenReading =
  | Readonly<{
      result: 'success';
      token: ReadableToken;
      skew: ClockSkew;
      upstream: Upstream;
    }>
  | Readonly<{ result: 'failed'; problem: ProblemError; upstream: Upstream }>;

/** Reads the current token of a profile. Never rejects. It keeps no record: that is the part of the one who asks. */
export type ReadToken = (profile: Profile, context: WriteContext) => Promise<TokenReading>;

async function toReadable(json: unknown): Promise<ReadableToken> {
  const token = parseEnrollmentToken(json);
  if (!token) {
    throw new ProblemError(
      'profile_not_found',
      'This enrollment profile has no token. Create one with createToken.',
    );
  }
  const qrCode = await readQrCode(token);
  if (!qrCode) throw new ProblemError('upstream_invalid');
  return { ...token, qrCode };
}

type ReadTokenOptions = Readonly<{ graph: GraphClient; readGraph: ReadGraph; skew: SkewEstimate }>;

export const createReadToken =
  ({ graph, readGraph, skew }: ReadTokenOptions): ReadToken =>
  async (profile, context) => {
    const outcome = await readGraph(
      (call) => graph.readProfile(profile, TOKEN_FIELDS[profile.set], call),
      context,
    );
    if (outcome.result === 'failed') return outcome;
    const { answer, askedAt, answeredAt, upstream } = outcome;
    const known = skew.observe(answer, askedAt, answeredAt);
    try {
      const token = await toReadable(answer.json);
      return { result: 'success', token, skew: known, upstream };
    } catch (error) {
      return { result: 'failed', problem: toProblem(error), upstream };
    }
  };
