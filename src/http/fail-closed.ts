import type { Step } from './request-scope.ts';

/**
 * A step from which nothing thrown lets a request pass. Express takes a thrown `undefined`, and the strings 'route' and
 * 'router', for "go on" and would skip the step; here they are errors like any other.
 */
export function failClosed(step: Step): Step {
  return (request, response, next) => {
    const fail = (thrown: unknown) =>
      next(
        thrown instanceof Error
          ? thrown
          : new Error('something other than an error was thrown', { cause: thrown }),
      );
    try {
      const done: unknown = step(request, response, next);
      if (done instanceof Promise) done.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
}
