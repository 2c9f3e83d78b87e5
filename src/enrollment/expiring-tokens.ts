import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { ReadOwnToken, RefusedToken } from '../exchange/own-token.ts';
import type { GraphClient } from '../graph/graph-client.ts';
import type { ListQuery } from '../graph/list-query.ts';
import { parseProfilePage } from '../graph/profile-page.ts';
import { PROFILE_SETS, type ProfileSet } from '../graph/profile.ts';
import { toGraphRefusal, toUpstreamFailed } from '../graph/graph-problem.ts';

/** Counts, in one round over both sets, the profiles whose token ends within 14 days. Rejects when Graph does not tell. */
export type CountExpiring = (signal: AbortSignal) => Promise<Readonly<Record<ProfileSet, number>>>;

type CountExpiringOptions = Readonly<{
  graph: GraphClient;
  readOwnToken: ReadOwnToken;
  graphBaseUrl: string;
  upstreamTimeoutMs: number;
  /** How many processes read like this one. */
  replicas: number;
  now?: () => number;
  wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}>;

/** Graph admits 1000 requests of any kind in 20 s: a thousandth of that is one. */
const MILLISECONDS_A_READ = 20_000;
const PAGE = 999;

/** Pages of a set: the service asks for the largest, and a Graph whose links lead on for ever is not followed for ever. */
const MOST_PAGES = 100;

const sleep = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  setTimeout(milliseconds, undefined, { signal, ref: false });

/** Every read waits for its turn, so that all replicas together stay within a thousandth of the quota. */
export function createCountExpiring(options: CountExpiringOptions): CountExpiring {
  const { graph, readOwnToken, graphBaseUrl, upstreamTimeoutMs, replicas } = options;
  const { now = Date.now, wait = sleep } = options;
  let nextReadAt = 0;

  const ask = async (set: ProfileSet, query: ListQuery, signal: AbortSignal, past?: RefusedToken) => {
    await wait(Math.max(0, nextReadAt - now()), signal);
    nextReadAt = now() + MILLISECONDS_A_READ * replicas;
    const token = await readOwnToken(past);
    const context = {
      token: token.value,
      clientRequestId: randomUUID(),
      timeoutMs: upstreamTimeoutMs,
      signal,
    };
    const answer = await graph.listProfiles(set, query, ['id', 'tokenExpirationDateTime'], context);
    return { answer, token };
  };

  const readPage = async (set: ProfileSet, query: ListQuery, signal: AbortSignal) => {
    const first = await ask(set, query, signal);
    const isRefused = first.answer.status === 401;
    const { answer } = isRefused ? await ask(set, query, signal, { refused: first.token }) : first;
    if (answer.status !== 200) throw toGraphRefusal(answer) ?? toUpstreamFailed(answer);
    return parseProfilePage(answer.json, { set, query, graphBaseUrl, now: now() });
  };

  const count = async (set: ProfileSet, signal: AbortSignal): Promise<number> => {
    let expiring = 0;
    let query: ListQuery | undefined = { top: PAGE };
    for (let page = 0; query; page += 1) {
      if (page === MOST_PAGES) throw new Error(`Graph's list of ${set} does not end`);
      const { profiles, next } = await readPage(set, query, signal);
      expiring += profiles.filter(({ tokenState }) => tokenState === 'expiring').length;
      query = next;
    }
    return expiring;
  };

  return async (signal) => {
    const [forWork, deviceOwner] = PROFILE_SETS;
    return { [forWork]: await count(forWork, signal), [deviceOwner]: await count(deviceOwner, signal) };
  };
}
