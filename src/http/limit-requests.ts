import { ProblemError } from '../errors.ts';
import type { GraphTerms } from '../limits/graph-budget.ts';
import { toRateLimitHeaders } from '../limits/headers.ts';
import { toLimitKeys } from '../limits/limit-keys.ts';
import { toAddressKey } from '../limits/source-address.ts';
import type { Decision, LimitKey, Limiter, TierState } from '../limits/tier.ts';
import type { Step } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';

/** The terms of a tenant's write budget at Graph, for a write that this application asks for now. */
export type AskGraph = (tenantId: string, clientId: string) => GraphTerms;

function toRateLimited({ refusedBy, retryAfterSeconds }: Decision): ProblemError {
  const tiers = refusedBy.map((tier) => `"${tier}"`).join(', ');
  return new ProblemError(
    'rate_limited',
    `Too many requests: the limit ${tiers} is exhausted. Try again in ${Math.max(1, retryAfterSeconds)} s.`,
    { retryAfterSeconds: Math.max(1, retryAfterSeconds), violatedPolicies: refusedBy },
  );
}

/** Where a tier stands once the one request charged to it has been given back. */
function withRefund(state: TierState): TierState {
  const { limit, remaining, resetSeconds } = state;
  const resetAfter = Math.ceil(resetSeconds - limit.seconds / limit.count);
  return remaining + 1 >= limit.count
    ? { ...state, remaining: limit.count, resetSeconds: 0 }
    : { ...state, remaining: remaining + 1, resetSeconds: resetAfter };
}

/** The limits, in two steps: by address before any cryptography, by everything else once the caller is known. */
export function createLimitSteps(
  limiter: Limiter,
  askGraph: AskGraph,
): Readonly<{ limitAddress: Step; limitCaller: Step }> {
  return {
    limitAddress: async function limitAddress(_request, response, next) {
      const { scope } = response.locals;
      const key: LimitKey = { tier: 'address', key: toAddressKey(scope.source.address) };
      const decision = await limiter.decide([key]);
      scope.rateLimits = decision.states;
      response.set(toRateLimitHeaders(scope.rateLimits));
      if (decision.refusedBy.length > 0) throw toRateLimited(decision);
      scope.addressCharge = { key, decision };
      next();
    },

    limitCaller: async function limitCaller(_request, response, next) {
      const { scope } = response.locals;
      const { operation, caller } = requireOperation(scope);
      const { profile } = scope;
      const decision = await limiter.decide(
        toLimitKeys({
          caller,
          write: operation.write,
          ...(operation.write && { graph: askGraph(caller.tenantId, caller.clientId) }),
          ...(profile && { resource: { set: profile.set, id: profile.id.canonical } }),
        }),
      );
      const refused = decision.refusedBy.length > 0;
      // A refused request costs nothing in any tier.
      if (refused && scope.addressCharge) {
        await limiter.refund(scope.addressCharge.key, scope.addressCharge.decision);
        scope.rateLimits = scope.rateLimits.map(withRefund);
      }
      scope.rateLimits = [...scope.rateLimits, ...decision.states];
      response.set(toRateLimitHeaders(scope.rateLimits));
      if (refused) throw toRateLimited(decision);
      next();
    },
  };
}
