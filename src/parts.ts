import type { Parts } from './app.ts';
import type { Metrics } from './admin/metrics.ts';
import type { Journal } from './audit/journal.ts';
import { createFingerprint, withPseudonyms } from './audit/privacy.ts';
import { createRefusalLog, type RefusalLogOptions } from './audit/refusals.ts';
import { createAuthenticate } from './caller/authenticate.ts';
import { authorise } from './caller/authorise.ts';
import { createKeySource } from './caller/key-source.ts';
import { createCountExpiring } from './enrollment/expiring-tokens.ts';
import { createSendWrite } from './enrollment/send-write.ts';
import { createEnrollmentParts } from './enrollment-parts.ts';
import { createExpiryWarning } from './exchange/certificate-expiry.ts';
import { createClaimsChallenge } from './exchange/claims-challenge.ts';
import { createCredential } from './exchange/credential.ts';
import { createOwnToken } from './exchange/own-token.ts';
import { createExchange } from './exchange/on-behalf-of.ts';
import { withTokenCache } from './exchange/token-cache.ts';
import { startExpiryWatch } from './expiry-watch.ts';
import { createGraphClient } from './graph/graph-client.ts';
import type { LimitParts } from './limit-parts.ts';
import { createSourceAddress } from './limits/source-address.ts';
import type { Logger } from './log.ts';
import type { Outbound } from './outbound.ts';
import type { Settings } from './settings.ts';
import type { WorkUnderWay } from './work-under-way.ts';

export type PartsInput = Readonly<{
  settings: Settings;
  log: Logger;
  metrics: Metrics;
  journal: Journal;
  send: Outbound;
  limits: LimitParts;
  work: WorkUnderWay;
  isDraining: () => boolean;
  /** The clock, in milliseconds since the epoch, by which tokens are judged, keys age and refusals are counted. */
  now?: () => number;
  /** Runs the end of a minute of refusals once that is over. */
  scheduleRefusals?: RefusalLogOptions['schedule'];
}>;

/** What a running service consists of besides its app. */
export type BuiltParts = Readonly<{
  parts: Parts;
  /** Names of what is not ready. */
  notReady: () => readonly string[];
  /** Begins what may take its time: the signing keys, the credential. */
  start: () => void;
  /** To be called daily. */
  checkCertificate: () => void;
  /** Ends what goes on in the background. */
  stopWatching: () => void;
  /** Writes what the refusal log still counts. */
  flushRefusals: () => Promise<void>;
}>;

/** Builds every part from the settings; nothing is connected or read yet. */
export function createParts(input: PartsInput): BuiltParts {
  const { settings, log, metrics, journal, send, limits, work, isDraining, now = Date.now } = input;
  const { clientId, authorityHost, graphBaseUrl, audiences, allowedClientIds, upstreamTimeoutMs, enableCae } =
    settings;
  const { hmacKey, pii } = settings.audit;
  const append =
    pii === 'pseudonymous' && hmacKey
      ? withPseudonyms(journal.append, createFingerprint(hmacKey))
      : journal.append;
  const schedule = input.scheduleRefusals && { schedule: input.scheduleRefusals };
  const refusals = createRefusalLog({ append, now, ...schedule });

  const api = { clientId, audiences, authorityHost };
  const isHome = (tenantId: string) => tenantId === settings.tenantId;
  // Whoever shows no tenant is sent to the first to sign in: to the tenant at home, wherever the list names it.
  const [firstTenant = settings.tenantId, ...otherTenants] = settings.allowedTenantIds.toSorted(
    (one, other) => Number(isHome(other)) - Number(isHome(one)),
  );
  const toKeySource = (tenantId: string) =>
    createKeySource({ authorityHost, tenantId, timeoutMs: upstreamTimeoutMs, outbound: send, log, now });
  const keySources = [toKeySource(firstTenant), ...otherTenants.map(toKeySource)] as const;
  const authenticate = createAuthenticate({
    ...api,
    keySources: [...keySources],
    log,
    now,
    onCache: (result) => metrics.cacheLookup('verified_tokens', result),
  });

  const toClaimsChallenge = createClaimsChallenge({ authorityHost, clientId });
  const expiryWarning = createExpiryWarning({ log });
  const credential = createCredential({
    source: settings.credential,
    clientId,
    onCertificate: (certificate) => {
      metrics.certificateExpiresAt(certificate.expiresAt);
      expiryWarning.replace(certificate);
    },
    onFailure: (error) =>
      log.error('the replaced credential file cannot be used; the last good one stays', { error }),
  });
  const exchange = withTokenCache(
    createExchange({
      send,
      authorityHost,
      graphBaseUrl,
      clientId,
      credential,
      toClaimsChallenge,
      enableCae,
      log,
      onExchange: (result, durationMs) => metrics.exchange(result, durationMs / 1000),
    }),
    { scope: `${graphBaseUrl}/.default`, onLookup: (result) => metrics.cacheLookup('exchange', result) },
  );

  const graph = createGraphClient({
    send,
    graphBaseUrl,
    onCall: (result, durationMs) => metrics.graphCall(result, durationMs / 1000),
  });
  const countExpiring = createCountExpiring({
    graph,
    readOwnToken: createOwnToken({
      send,
      authorityHost,
      graphBaseUrl,
      tenantId: settings.tenantId,
      clientId,
      credential,
    }),
    graphBaseUrl,
    upstreamTimeoutMs,
    replicas: settings.redisUrl ? settings.replicas : 1,
  });
  let expiryWatch: ReturnType<typeof startExpiryWatch> | undefined;

  const sendWrite = createSendWrite({
    exchange,
    throttle: limits.throttle,
    toClaimsChallenge,
    upstreamTimeoutMs,
    enableCae,
  });
  const enrollment = createEnrollmentParts({
    settings,
    append,
    findPast: journal.findByIdempotencyKey,
    undecided: journal.undecided,
    exchange,
    toClaimsChallenge,
    graph,
    sendWrite,
    idempotencyStore: limits.idempotencyStore,
    redisCreationTurn: limits.redisCreationTurn,
    work,
  });

  return {
    parts: {
      settings,
      log,
      sourceAddress: createSourceAddress({ trustedProxies: settings.trustedProxies, log }),
      limiter: limits.limiter,
      authenticate,
      authorise: (caller, scope) => authorise(caller, { api, scope, allowedClientIds }),
      enrollment,
      recordRefusal: refusals.record,
      onAnswer: ({ operation, status, durationMs }) => metrics.request(operation, status, durationMs / 1000),
      onRefusal: metrics.refusal,
      isDraining,
    },
    notReady: () => [
      // One tenant that Entra cannot be asked for must not take the service from the others; but each is probed.
      ...(keySources.map((source) => source.ready()).includes(true) ? [] : ['entra_keys']),
      ...(journal.healthy() ? [] : ['audit_journal']),
      ...(isDraining() ? ['shutting_down'] : []),
    ],
    start: () => {
      for (const source of keySources) source.start();
      const intervalSeconds = settings.expiryMetricsIntervalSeconds;
      if (intervalSeconds > 0) {
        expiryWatch ??= startExpiryWatch({ count: countExpiring, intervalSeconds, metrics, log });
      }
      credential(authorityHost).catch((error: unknown) =>
        log.error('the credential cannot be read', { error }),
      );
    },
    checkCertificate: expiryWarning.check,
    stopWatching: () => expiryWatch?.stop(),
    flushRefusals: refusals.flush,
  };
}
