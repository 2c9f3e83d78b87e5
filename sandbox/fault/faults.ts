import { parseFault, type Effect, type Fault, type FaultInput } from './fault.ts';

export type Faults = Readonly<{
  /** Adds a fault; throws a ZodError when it is none. The oldest that matches a request strikes. */
  add: (input: FaultInput) => void;
  /** The same for input that is not known to be one. */
  parseAndAdd: (input: unknown) => void;
  /** Takes away all faults; requests that hang stay hung. */
  clear: () => void;
  /** Those still to strike. */
  list: () => readonly Fault[];
  /** What strikes this request, counted down. */
  take: (request: Readonly<{ operation: string; user: string | undefined }>) => Effect | undefined;
}>;

export function createFaults(): Faults {
  const pending: { fault: Fault; skip: number; left: number }[] = [];

  const parseAndAdd = (input: unknown): void => {
    const fault = parseFault(input);
    const { skip, times } = fault.match;
    pending.push({ fault, skip, left: times === 'always' ? Infinity : times });
  };

  return {
    add: parseAndAdd,
    parseAndAdd,
    clear: () => pending.splice(0),
    list: () => pending.map(({ fault }) => fault),
    take: ({ operation, user }) => {
      const index = pending.findIndex(
        ({ fault: { match } }) =>
          (match.operation === undefined || match.operation === operation) &&
          (match.user === undefined || match.user === user),
      );
      const found = pending[index];
      if (found === undefined) return undefined;
      if (found.skip > 0) {
        found.skip -= 1;
        return undefined;
      }
      found.left -= 1;
      if (found.left === 0) pending.splice(index, 1);
      return found.fault.effect;
    },
  };
}
