import type { RateLimit } from '../limits/tier.ts';
import { integer, orWord, type Kind } from './kind.ts';

const COUNT = integer(1, 1_000_000);
const SECONDS = integer(1, 24 * 60 * 60);

const limit: Kind<RateLimit> = {
  expected: 'count/seconds, or count/seconds;shadow',
  read: (text) => {
    const parts = /^(\d+)\/(\d+)(;shadow)?$/.exec(text);
    const count = COUNT.read(parts?.[1] ?? '');
    const seconds = SECONDS.read(parts?.[2] ?? '');
    if (parts === null || count === undefined || seconds === undefined) return undefined;
    return { count, seconds, shadow: parts[3] !== undefined };
  },
};

/** The grammar of the RATE_LIMIT_… settings. */
export const rateLimit = orWord('off', limit);
