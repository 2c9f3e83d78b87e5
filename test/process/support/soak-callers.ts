import type { Sandbox } from '../../support/sandbox.ts';
import { createSoakClients } from './soak-clients.ts';
import { createSoakMix } from './soak-mix.ts';
import { createSoakPeople } from './soak-people.ts';

/** As many as the service remembers. */
const FORGED = 5000;
const FORGERS = 16;
/** What a disk or a processor that is busy elsewhere makes of any request: it could not be recorded in time. */
const BUSY: readonly unknown[] = [500, 503];
/** Shares no factor with the number of requests in a round of the mix: the kinds come well mixed. */
const STRIDE = 37;

/** Requests: all, those refused by a machine that is busy, and those answered otherwise than their kind is. */
export type Count = Readonly<{ asked: number; busy: number; wrong: number }>;

export type SoakCallers = Readonly<{
  /** One request of the mix. Never rejects. */
  ask: () => Promise<void>;
  /** So many forged tokens that all those to come take the place of others. Never rejects. */
  flood: () => Promise<void>;
  /** By kind. */
  counts: () => Readonly<Record<string, Count>>;
  /** What the wrong answers were, by kind and status. */
  wrong: () => Readonly<Record<string, number>>;
  close: () => void;
}>;

/** Everybody who calls the service, its kinds of requests in their shares. */
export async function createSoakCallers(sandbox: Sandbox, origin: string): Promise<SoakCallers> {
  const people = await createSoakPeople(sandbox);
  const clients = createSoakClients(origin);
  const kinds = createSoakMix(people);
  const mix = Object.entries(kinds);
  const order = mix.flatMap(([name, kind]) => Array.from({ length: kind.share }, () => ({ name, kind })));
  const counts = Object.fromEntries(mix.map(([name]) => [name, { asked: 0, busy: 0, wrong: 0 }]));
  const wrong: Record<string, number> = {};
  let turn = 0;

  return {
    async ask() {
      turn += 1;
      const chosen = order[(turn * STRIDE) % order.length];
      const count = chosen && counts[chosen.name];
      await people.renew();
      if (chosen === undefined || count === undefined) return;
      const { name, kind } = chosen;
      count.asked += 1;
      const status = await clients.ask(kind.ask(count.asked));
      if (kind.statuses.length === 0 || (status !== undefined && kind.statuses.includes(status))) return;
      if (BUSY.includes(status)) {
        count.busy += 1;
        return;
      }
      count.wrong += 1;
      wrong[`${name} ${status ?? 'none'}`] = (wrong[`${name} ${status ?? 'none'}`] ?? 0) + 1;
    },
    async flood() {
      let asked = 0;
      const forge = async (): Promise<void> => {
        for (; asked < FORGED; asked += 1) await clients.ask(kinds.forged.ask(asked));
      };
      await Promise.all(Array.from({ length: FORGERS }, forge));
    },
    counts: () => counts,
    wrong: () => wrong,
    close: clients.close,
  };
}
