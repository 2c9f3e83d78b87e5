import { ProblemError } from '../errors.ts';
import { toLimitKeys, type LimitSubject } from '../limits/limit-keys.ts';
import { toAddressKey } from '../limits/source-address.ts';
import type { Decision, LimitKey, Limiter } from '../limits/tier.ts';
import type { Mutable } from '../mutable.ts';
import type { ProblemStep, RequestScope, Step } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';

function toRateLimited({ refusedBy, retryAfterSeconds }: Decision): ProblemError {
  const tiers = refusedBy.map((tier) => `"${tier}"`).join(', ');
  return new ProblemError(
    'rate_limited',
    `Too many requests: the limit ${tiers} is exhausted. Try again in ${Math.max(1, retryAfterSeconds)} s.`,
    { retryAfterSeconds: Math.max(1, retryAfterSeconds), violatedPolicies: refusedBy },
  );
}

/** The limits, in two steps: by address before any cryptography, by everything else once the caller is known. */
export function createLimitSteps(
  limiter: Limiter,
): Readonly<{ limitAddress: Step; limitCaller: Step; giveBack: ProblemStep }> {
  /** A refused request costs nothing in any tier. */
  const refund = async (scope: RequestScope): Promise<void> => {
    const charges = [scope.addressCharge, scope.callerCharge].filter((charge) => charge !== undefined);
    const refunded = await Promise.all(
      charges.flatMap(({ keys, decision }) => keys.map((key) => limiter.refund(key, decision))),
    );
    scope.rateLimits = scope.rateLimits.map(
      (state) => refunded.find((other) => other?.tier === state.tier && other.kind === state.kind) ?? state,
    );
  };

  /** Who is refused because nobody can decide is told what this process knows. */
  const decide = async (scope: RequestScope, keys: readonly LimitKey[]): Promise<Decision> => {
    try {
      return await limiter.decide(keys);
    } catch (error) {
      scope.rateLimits = [...scope.rateLimits, ...limiter.peek(keys)];
      throw error;
    }
  };

  return {
    limitAddress: async function limitAddress(_request, response, next) {
      const { scope } = response.locals;
      const keys: readonly LimitKey[] = [{ tier: 'address', key: toAddressKey(scope.source.address) }];
      const decision = await limiter.decide(keys);
      scope.rateLimits = decision.states;
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
      const decision = await decide(scope, keys);
      const refused = decision.refusedBy.length > 0;
      if (refused) await refund(scope);
      else scope.callerCharge = { keys, decision };
      scope.rateLimits = [...scope.rateLimits, ...decision.states];
      if (refused) throw toRateLimited(decision);
      next();
    },

    giveBack: async function giveBack(error, _request, response, next) {
      if (error instanceof ProblemError && error.options.costsNothing === true && !response.headersSent) {
        await refund(response.locals.scope);
      }
      next(error);
    },
  };
}
