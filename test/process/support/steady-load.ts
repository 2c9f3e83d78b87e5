import { setTimeout as wait } from 'node:timers/promises';

type SteadyLoad = Readonly<{
  perSecond: number;
  milliseconds: number;
  /** Goes on for as long as it takes to ask so often. */
  atLeast?: number;
  /** Begins the next request; must not reject. */
  ask: () => Promise<void>;
}>;

/** Requests under way at most. What a machine that stalls cannot take meanwhile is not asked later: it would be a flood. */
const MOST_UNDER_WAY = 32;
const TICK = 20;

/** Asks at a steady pace, and resolves when the last request is answered: then the service is at rest. */
export async function loadSteadily({ perSecond, milliseconds, atLeast = 0, ask }: SteadyLoad): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const begin = performance.now();
  let due = 0;
  let begun = 0;
  for (let now = begin; now - begin < milliseconds || begun < atLeast; now = performance.now()) {
    const untilNow = Math.floor(((now - begin) / 1000) * perSecond);
    for (; due < untilNow; due += 1) {
      if (underWay.size >= MOST_UNDER_WAY) continue;
      const asked: Promise<void> = ask().finally(() => underWay.delete(asked));
      underWay.add(asked);
      begun += 1;
    }
    await wait(TICK);
  }
  await Promise.all(underWay);
}
