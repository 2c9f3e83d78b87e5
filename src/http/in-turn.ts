import { failClosed } from './fail-closed.ts';
import type { Step } from './request-scope.ts';

/**
 * The steps as one: Express looks for the next of its layers at each of them, by path and parameters that none of ours has,
 * which cost more than most of the steps. Each fails closed.
 */
export function inTurn(steps: readonly Step[]): Step {
  const closed = steps.map(failClosed);
  return function inTurn(request, response, next) {
    const runFrom = (index: number): void => {
      const step = closed[index];
      if (step === undefined) return next();
      const goOn = (error?: unknown): void => (error === undefined ? runFrom(index + 1) : next(error));
      void step(request, response, goOn);
    };
    runFrom(0);
  };
}
