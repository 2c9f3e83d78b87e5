import type { Journal } from './audit/journal.ts';
import { createFingerprint } from './audit/privacy.ts';
import type { AppendAudit } from './audit/record.ts';
import { createSendAction } from './enrollment/action-form.ts';
import { createSkewEstimate } from './enrollment/clock-skew.ts';
import { createCreateAndRead } from './enrollment/create-and-read.ts';
import { createTokenCreation } from './enrollment/create-token.ts';
import { createCreationTurns } from './enrollment/creation-turns.ts';
import { createEnrollment, type Enrollment } from './enrollment/enrollment.ts';
import { createHoldToken, type ToFingerprint } from './enrollment/hold-token.ts';
import type { IdempotencyStore } from './enrollment/idempotency-store.ts';
import { createIdempotent } from './enrollment/idempotent.ts';
import { createProfileWrites } from './enrollment/profile-writes.ts';
import { readOpenBefore, rememberUndecided } from './enrollment/undecided-creations.ts';
import { createReadBack } from './enrollment/read-back.ts';
import { createReadGraph } from './enrollment/read-graph.ts';
import { createReadOwnToken } from './enrollment/read-own-token.ts';
import { createReadProfiles } from './enrollment/read-profiles.ts';
import { createReadToken } from './enrollment/read-token.ts';
import { createTokenRevocation } from './enrollment/revoke-token.ts';
import type { SendWrite } from './enrollment/send-write.ts';
import { createSettleCreation } from './enrollment/settle-creation.ts';
import { createSharedCreationTurns } from './enrollment/shared-creation-turns.ts';
import { createTurns } from './enrollment/turns.ts';
import type { ToClaimsChallenge } from './exchange/entra-error.ts';
import type { CachedExchange } from './exchange/token-cache.ts';
import type { GraphClient } from './graph/graph-client.ts';
import type { RedisCreationTurn } from './limits/redis-creation-turn.ts';
import type { Settings } from './settings.ts';
import type { WorkUnderWay } from './work-under-way.ts';

type EnrollmentPartsInput = Readonly<{
  settings: Settings;
  append: AppendAudit;
  findPast: Journal['findByIdempotencyKey'];
  undecided: Journal['undecided'];
  exchange: CachedExchange;
  toClaimsChallenge: ToClaimsChallenge;
  graph: GraphClient;
  sendWrite: SendWrite;
  idempotencyStore: IdempotencyStore;
  /** Where there is Redis: turns for all replicas. */
  redisCreationTurn?: RedisCreationTurn | undefined;
  work: WorkUnderWay;
}>;

/** Every operation a stop has to wait for is counted. */
const withWork = (enrollment: Enrollment, { track }: WorkUnderWay): Enrollment => ({
  create: (request, validitySeconds) => track(enrollment.create(request, validitySeconds)),
  revoke: (request) => track(enrollment.revoke(request)),
  list: (set, query, context) => track(enrollment.list(set, query, context)),
  get: (request) => track(enrollment.get(request)),
  read: (request) => track(enrollment.read(request)),
});

/** The operations behind the routes, put together. */
export function createEnrollmentParts(input: EnrollmentPartsInput): Enrollment {
  const { settings, append, exchange, toClaimsChallenge, graph, sendWrite, work } = input;
  const { upstreamTimeoutMs, requestDeadlineMs, graphBaseUrl, enableCae } = settings;
  const { hmacKey, fingerprint: alwaysFingerprint } = settings.audit;
  const toFingerprint: ToFingerprint = hmacKey ? createFingerprint(hmacKey) : () => undefined;

  const writes = createProfileWrites();
  rememberUndecided(writes, input.undecided, requestDeadlineMs);
  const skew = createSkewEstimate();
  const local = createCreationTurns(createTurns());
  const readBack = createReadBack({ graph, exchange, toClaimsChallenge, enableCae, upstreamTimeoutMs, skew });
  const readGraph = createReadGraph({ send: sendWrite });
  const sendAction = createSendAction({ graph, sendWrite, readGraph });
  const readToken = createReadToken({ graph, readGraph, skew });
  const holdToken = createHoldToken({ append, toFingerprint });
  const idempotent = createIdempotent({
    store: input.idempotencyStore,
    append,
    findPast: (keyHash, profile) => {
      const past = input.findPast(keyHash);
      if (!past) return undefined;
      const intendedAt = Date.parse(past.intent.time);
      const earlierOpenUntil = readOpenBefore(input.undecided, requestDeadlineMs, profile, intendedAt);
      return earlierOpenUntil === undefined ? past : { ...past, earlierOpenUntil };
    },
    requestDeadlineMs,
  });
  const createAndRead = createCreateAndRead({
    append,
    createToken: createTokenCreation({ graph, sendAction, readBack, writes, skew }),
    settleCreation: createSettleCreation({ readBack, writes }),
    idempotent,
    turns: input.redisCreationTurn
      ? createSharedCreationTurns({ redis: input.redisCreationTurn, local, writes })
      : local,
    writes,
    holdToken,
    readOwnToken: createReadOwnToken({ readToken }),
    toFingerprint,
    alwaysFingerprint,
  });
  return withWork(
    createEnrollment({
      append,
      createAndRead,
      revokeToken: createTokenRevocation({ graph, sendAction }),
      readProfiles: createReadProfiles({ graph, readGraph, graphBaseUrl }),
      readToken,
      holdToken,
      idempotent,
    }),
    work,
  );
}
