import type { ServerResponse } from 'node:http';
import { ProblemError } from '../errors.ts';
import { toRateLimitHeaders } from '../limits/headers.ts';
import { toLimitKeys, type LimitSubject } from '../limits/limit-keys.ts';
import { toAddressKey } from '../limits/source-address.ts';
import type { Decision, LimitKey, Limiter, TierState } from '../limits/tier.ts';
import type { Mutable } from '../mutable.ts';
import type { Charge, ProblemStep, RequestScope, Step } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';

function toRateLimited({ refusedBy, retryAfterSeconds }: Decision): ProblemError {
  const tiers = refusedBy.map((tier) => `"${tier}"`).join(', ');
  return new ProblemError(
    'rate_limited',
    `Too many requests: the limit ${tiers} is exhausted. Try again in ${Math.max(1, retryAfterSeconds)} s.`,
    { retryAfterSeconds: Math.max(1, retryAfterSeconds), violatedPolicies: refusedBy },
  );
}

function setRateLimitHeaders(response: ServerResponse, states: readonly TierState[]): void {
  const headers = toRateLimitHeaders(states);
  for (const name in headers) response.setHeader(name, headers[name] ?? '');
}

/** The limits, in two steps: by address before any cryptography, by everything else once the caller is known. */
export function createLimitSteps(
  limiter: Limiter,
): Readonly<{ limitAddress: Step; limitCaller: Step; giveBack: ProblemStep }> {
  /** Where its tiers stand once a charge has been given back. */
  const takeBack = async ({ keys, decision }: Charge): Promise<readonly TierState[]> => {
    const refunded = await Promise.all(keys.map((key) => limiter.refund(key, decision)));
    return decision.states.map(
      (state) => refunded.find((other) => other?.tier === state.tier && other.kind === state.kind) ?? state,
    );
  };

  /** A refused request costs nothing in any tier. */
  const refund = async ({ addressCharge, callerCharge }: RequestScope): Promise<readonly TierState[]> => {
    const charges = [addressCharge, callerCharge].filter((charge) => charge !== undefined);
    return (await Promise.all(charges.map(takeBack))).flat();
  };

  return {
    limitAddress: async function limitAddress(_request, response, next) {
      const { scope } = response.locals;
      const keys: readonly LimitKey[] = [{ tier: 'address', key: toAddressKey(scope.source.address) }];
      const decision = await limiter.decide(keys);
      scope.rateLimits = decision.states;
      setRateLimitHeaders(response, scope.rateLimits);
      if (decision.refusedBy.length > 0) throw toRateLimited(decision);
      scope.addressCharge = { keys, decision };
      next();
    },

    limitCaller: async function limitCaller(_request, response, next) {
      const { scope } = response.locals;
      const { operation, caller } = requireOperation(scope);
      const { profile } = scope;
      const subject: Mutable<LimitSubject> = { caller, write: operation.write };
      if (profile) subject.resource = { set: profile.set, id: profile.id.canonical };
      const keys = toLimitKeys(subject);
      const decision = await limiter.decide(keys);
      const refused = decision.refusedBy.length > 0;
      if (refused) scope.rateLimits = await refund(scope);
      else scope.callerCharge = { keys, decision };
      scope.rateLimits = [...scope.rateLimits, ...decision.states];
      setRateLimitHeaders(response, scope.rateLimits);
      if (refused) throw toRateLimited(decision);
      next();
    },

    giveBack: async function giveBack(error, _request, response, next) {
      if (error instanceof ProblemError && error.options.costsNothing === true && !response.headersSent) {
        const { scope } = response.locals;
        scope.rateLimits = await refund(scope);
        setRateLimitHeaders(response, scope.rateLimits);
      }
      next(error);
    },
  };
}
