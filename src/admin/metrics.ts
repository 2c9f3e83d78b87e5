import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ProblemCode } from '../errors.ts';
import type { Tier } from '../limits/tier.ts';
import { createTally } from './tally.ts';
import { createTimings } from './timings.ts';

/** `refused`: the other side said no; `failed`: it gave no usable answer. */
export type CallResult = 'success' | 'refused' | 'failed';

/** What is measured. Durations are seconds. */
export type Metrics = Readonly<{
  /** One answered request; `operation` is a row of the operations table, or a word for none. */
  request: (operation: string, status: number, seconds: number) => void;
  /** One call to Entra's token endpoint. */
  exchange: (result: CallResult, seconds: number) => void;
  /** One call to Graph. */
  graphCall: (result: CallResult, seconds: number) => void;
  cacheLookup: (cache: 'exchange' | 'verified_tokens', result: 'hit' | 'miss') => void;
  limiterDecision: (tier: Tier, result: 'passed' | 'refused' | 'shadow_refused') => void;
  /** Whether the limits work without their shared state. */
  limiterDegraded: (isDegraded: boolean) => void;
  auditAppend: (result: 'success' | 'failed', seconds: number) => void;
  /** When the certificate that this service proves itself with ends, in milliseconds since the epoch. */
  certificateExpiresAt: (expiresAt: number) => void;
  /** Tokens of one set of profiles that expire within 14 days. */
  tokensExpiring: (set: string, count: number) => void;
  refusal: (code: ProblemCode) => void;
  /** The media type of {@link Metrics.text}. */
  contentType: string;
  /** All of it in Prometheus' text format. */
  text: () => Promise<string>;
}>;

const PREFIX = 'enrollment_token_bff_';
const DAY_MS = 24 * 60 * 60 * 1000;
/** Seconds; from an answer out of a cache to the deadline of a request. */
const CALL_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];
/** Seconds; a sync to disk takes a fraction of a millisecond. */
const DISK_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
/** More than the operations table will ever have: whatever reaches a label, the number of series stays bounded. */
const MAX_OPERATIONS = 40;

export type MetricsOptions = Readonly<{ now?: () => number }>;

/** Counts into a registry of its own. */
export function createMetrics({ now = Date.now }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const tally = (name: string, help: string, ...labels: readonly [string, string?]) =>
    createTally({ name: `${PREFIX}${name}`, help, labels, registers });
  const timings = (name: string, help: string, buckets: readonly number[], label: string) =>
    createTimings({ name: `${PREFIX}${name}`, help, buckets, label, registers });

  /** Counts something by its result and measures how long it took. */
  function outcomes(of: string, action: string, help: string, buckets: readonly number[]) {
    const total = tally(`${of}_${action}s_total`, `${help}, by result.`, 'result');
    const duration = timings(`${of}_${action}_duration_seconds`, `${help}: duration.`, buckets, 'result');
    return (result: string, seconds: number): void => {
      total(result);
      duration(result, seconds);
    };
  }

  const requests = tally('http_requests_total', 'Requests answered.', 'operation', 'status');
  const requestSeconds = timings(
    'http_request_duration_seconds',
    'From a request to its answer.',
    CALL_BUCKETS,
    'operation',
  );
  const lookups = tally('cache_lookups_total', 'Look-ups in a cache, by result.', 'cache', 'result');
  const decisions = tally('limiter_decisions_total', 'Decisions of the limiter.', 'tier', 'result');
  const refusals = tally('refusals_total', 'Requests refused, by error code.', 'code');
  const degraded = new Gauge({
    name: `${PREFIX}limiter_degraded`,
    help: '1 while the limits work without their shared state.',
    registers,
  });

  const operations = new Set<string>();
  const toOperation = (operation: string): string => {
    if (operations.size < MAX_OPERATIONS) operations.add(operation);
    return operations.has(operation) ? operation : 'other';
  };

  let expiringTokens: Gauge<'set'> | undefined;
  /** Absent while nobody counts. */
  const createExpiringTokens = () =>
    new Gauge({
      name: `${PREFIX}tokens_expiring`,
      help: 'Enrollment tokens that expire within 14 days, by set of profiles.',
      labelNames: ['set'] as const,
      registers,
    });

  let expiresAt = 0;
  let remainingDays: Gauge | undefined;
  /** Absent until there is a certificate: 0 would raise an alarm. */
  const createRemainingDays = () =>
    new Gauge({
      name: `${PREFIX}certificate_remaining_days`,
      help: 'Days until the certificate of the credential ends.',
      registers,
      collect() {
        this.set((expiresAt - now()) / DAY_MS);
      },
    });

  return {
    request(operation, status, seconds) {
      const label = toOperation(operation);
      requests(label, String(status));
      requestSeconds(label, seconds);
    },
    exchange: outcomes('exchange', 'call', 'On-behalf-of calls to Entra', CALL_BUCKETS),
    graphCall: outcomes('graph', 'call', 'Calls to Microsoft Graph', CALL_BUCKETS),
    auditAppend: outcomes('audit', 'append', 'Records made durable in the audit journal', DISK_BUCKETS),
    cacheLookup: (cache, result) => lookups(cache, result),
    limiterDecision: (tier, result) => decisions(tier, result),
    limiterDegraded: (isDegraded) => degraded.set(isDegraded ? 1 : 0),
    certificateExpiresAt(time) {
      expiresAt = time;
      remainingDays ??= createRemainingDays();
    },
    tokensExpiring(set, count) {
      expiringTokens ??= createExpiringTokens();
      expiringTokens.set({ set }, count);
    },
    refusal: (code) => refusals(code),
    contentType: registry.contentType,
    text: async () => registry.metrics(),
  };
}
