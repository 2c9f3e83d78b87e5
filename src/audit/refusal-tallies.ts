import ipaddr from 'ipaddr.js';
import type { RefusalEvent } from './record.ts';

export type Refusal = Omit<RefusalEvent, 'count'>;

/** How many refusals of one actor (without one, of one network) and one code there were. */
export type Tally = { readonly refusal: Refusal; count: number };

export type RefusalTallies = Readonly<{
  find: (refusal: Refusal) => Tally | undefined;
  /** False when as many others are told apart already. Actors and networks have room of their own. */
  hasRoom: (refusal: Refusal) => boolean;
  /** Adds to the tally of this refusal, which is begun if there is none; without room for one, to that of all others. */
  add: (refusal: Refusal, count: number) => void;
  /** Takes the oldest tally of an actor out, to make room. */
  takeOldestActor: () => Tally | undefined;
  values: () => readonly Tally[];
}>;

/** The `address` of a count over those beyond the room. */
export const MANY_ADDRESSES = '*';

/** @param room actors, and networks, that are told apart, each with every code */
export function createRefusalTallies(room: Readonly<{ actors: number; networks: number }>): RefusalTallies {
  const actors = new Map<string, Tally>();
  const networks = new Map<string, Tally>();
  /** Codes are a closed set, so these are few. */
  const others = new Map<string, Tally>();

  const hasRoom = ({ actor }: Refusal) =>
    actor === undefined ? networks.size < room.networks : actors.size < room.actors;
  const of = ({ actor }: Refusal) => (actor === undefined ? networks : actors);

  function addTo(tallies: Map<string, Tally>, key: string, refusal: Refusal, count: number): void {
    const tally = tallies.get(key);
    if (tally === undefined) tallies.set(key, { refusal, count });
    else tally.count += count;
  }

  return {
    find: (refusal) => of(refusal).get(toKey(refusal)),
    hasRoom,
    add(refusal, count) {
      const key = toKey(refusal);
      if (of(refusal).has(key) || hasRoom(refusal)) addTo(of(refusal), key, refusal, count);
      else addTo(others, refusal.code, toAnonymous(refusal), count);
    },
    takeOldestActor() {
      const [oldest] = actors;
      if (oldest !== undefined) actors.delete(oldest[0]);
      return oldest?.[1];
    },
    values: () => [...actors.values(), ...networks.values(), ...others.values()],
  };
}

function toAnonymous({ kind, status, code }: Refusal): Refusal {
  return { kind, source: { address: MANY_ADDRESSES }, status, code };
}

function toKey({ actor, source, code }: Refusal): string {
  if (actor === undefined) return `${toNetwork(source.address)} ${code}`;
  return `${actor.tenantId} ${actor.objectId} ${actor.clientId} ${code}`;
}

/** Of IPv6 the /64: one host has that many addresses, and each would cost a record (RFC 4291 section 2.5.4). */
function toNetwork(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return parsed.parts.slice(0, 4).join(':');
}
