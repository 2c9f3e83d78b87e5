import { parseRedisUrl } from '../limits/redis-target.ts';
import { Secret } from '../secret.ts';
import type { Kind } from './kind.ts';

/** One server, its sentinels, or nodes of a cluster; may hold credentials. */
export const redisUrl: Kind<string> = {
  expected: 'redis[s][-sentinel|-cluster]://[[user]:password@]host[:port][/database][#master]',
  read: (text) => {
    try {
      parseRedisUrl(new Secret(text));
      return /\s/.test(text) ? undefined : text;
    } catch {
      return undefined;
    }
  },
};
