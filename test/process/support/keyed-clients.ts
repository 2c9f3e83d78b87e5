import { randomUUID } from 'node:crypto';
import type { RawAnswer } from './send-raw.ts';

/** A creation under an `Idempotency-Key`, on a profile that nobody else writes to. */
export type KeyedCreation = Readonly<{ key: string; profile: string }>;

/** What clients do who give each creation a key: ask again until they have an answer, with the same key. */
export type KeyedClients = Readonly<{
  next: () => KeyedCreation;
  answered: (creation: KeyedCreation, answer: RawAnswer) => void;
  all: () => readonly KeyedCreation[];
}>;

/** Every so many requests repeat one that was answered before, perhaps by a process that is dead by now. */
const REPEAT_EVERY = 4;

export function createKeyedClients(createProfile: () => string): KeyedClients {
  const all: KeyedCreation[] = [];
  const unanswered: KeyedCreation[] = [];
  const done: KeyedCreation[] = [];
  let asked = 0;

  const begin = (): KeyedCreation => {
    const creation = { key: randomUUID(), profile: createProfile() };
    all.push(creation);
    return creation;
  };

  return {
    next() {
      asked += 1;
      const repeated = asked % REPEAT_EVERY === 0 ? done[(asked * 7919) % done.length] : undefined;
      return unanswered.shift() ?? repeated ?? begin();
    },
    answered(creation, { status, code }) {
      if (status === 204) done.push(creation);
      // It stays unknown for as long as Graph may still act; asked again at the end.
      else if (code !== 'outcome_unknown') unanswered.push(creation);
    },
    all: () => all,
  };
}
