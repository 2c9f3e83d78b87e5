import { LRUCache } from 'lru-cache';
import { ProblemError } from '../errors.ts';
import type { GraphClient } from '../graph/graph-client.ts';
import { toGraphUnavailable, toUpstreamFailed, toUpstreamInvalid } from '../graph/graph-problem.ts';
import type { Profile } from '../graph/profile.ts';
import type { ReadBack, Sighting } from './read-back.ts';
import type { SendWrite, Sent, WriteContext } from './send-write.ts';
import type { Turns } from './turns.ts';
import type { WriteOutcome } from './write-outcome.ts';

/** Creates one token. Never rejects: a failure is an outcome, certain or not. */
export type CreateToken = (
  profile: Profile,
  validitySeconds: number,
  context: WriteContext,
) => Promise<WriteOutcome>;

type CreateTokenOptions = Readonly<{
  graph: GraphClient;
  sendWrite: SendWrite;
  readBack: ReadBack;
  turns: Turns;
  now?: () => number;
}>;

/** Milliseconds for which Graph may still act on, or show late, a request whose answer was lost. */
const LATE_ACT = 60_000;

/** Profiles whose last write is remembered, to tell its token from the next one's. */
const REMEMBERED_PROFILES = 10_000;

/** What follows when the answer left open whether Graph acted (contract 4), once the profile was read. */
export function toCreationOutcome(
  sent: Exclude<Sent, { kind: 'refused' }>,
  sighting: Sighting,
): WriteOutcome {
  const { upstream } = sent;
  const unknown = { result: 'unknown', problem: new ProblemError('outcome_unknown'), upstream } as const;
  if (sighting === 'seen') return { result: 'success', upstream };
  if (sent.kind === 'lost') {
    return sent.reason === 'informational' ? { ...unknown, problem: toUpstreamInvalid() } : unknown;
  }
  const { answer } = sent;
  if (answer.status < 300) return { ...unknown, problem: toUpstreamInvalid(answer) };
  if (answer.status < 400) return { result: 'failed', problem: toUpstreamInvalid(answer), upstream };
  if (answer.status === 502 || answer.status === 504 || sighting === 'unreadable') return unknown;
  const problem = answer.status === 503 ? toGraphUnavailable(answer) : toUpstreamFailed(answer);
  return { result: 'failed', problem, upstream };
}

/**
 * createToken, settled: a 204 is a success, a refusal of Graph's a failure, and for everything else the profile is read back.
 * Creations on one profile pass one after the other, so that the token read back is not another caller's.
 */
export function createTokenCreation({
  graph,
  sendWrite,
  readBack,
  turns,
  now = Date.now,
}: CreateTokenOptions): CreateToken {
  const lastWrites = new LRUCache<string, number>({ max: REMEMBERED_PROFILES });

  return async (profile, validitySeconds, context) => {
    const key = `${context.caller.tenantId}/${profile.set}/${profile.id.canonical}`;
    const startedAt = now();

    const create = async (): Promise<WriteOutcome> => {
      const previousAt = lastWrites.get(key);
      const sent = await sendWrite((call) => graph.createToken(profile, validitySeconds, call), context);
      const { upstream } = sent;
      if (sent.kind === 'refused') return { result: 'failed', problem: sent.problem, upstream };
      lastWrites.set(key, now());
      if (sent.kind === 'answered' && sent.answer.status === 204) return { result: 'success', upstream };
      const window = { sentAt: sent.sentAt, until: now(), ...(previousAt !== undefined && { previousAt }) };
      const sighting = await readBack({ profile, validitySeconds, window }, sent.context, context.deadline);
      const settledUpstream = { ...upstream, durationMs: now() - startedAt };
      const outcome = toCreationOutcome({ ...sent, upstream: settledUpstream }, sighting);
      return outcome.result === 'unknown'
        ? { ...outcome, window: { ...window, until: now() + LATE_ACT } }
        : outcome;
    };

    try {
      return await turns(key, context.deadline.signal, create);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return { result: 'failed', problem: error, upstream: { attempts: 0, durationMs: now() - startedAt } };
    }
  };
}
