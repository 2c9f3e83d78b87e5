import type { Ask } from './soak-clients.ts';
import { SET, type SoakPeople } from './soak-people.ts';

/** One kind of request, and how often it comes. */
type Kind = Readonly<{
  /** So many of a hundred or so. */
  share: number;
  /** Of the answers that it may meet on a machine that keeps up; none where the caller does not wait. */
  statuses: readonly number[];
  /** The next of its kind. */
  ask: (turn: number) => Ask;
}>;

/** A creation as it is meant. */
const BODY = '{"tokenValidityInSeconds":3600}';
const JSON_TYPE = { 'content-type': 'application/json' };
const BAD_BODIES = ['{', '[]', '{"tokenValidityInSeconds":"1"}', '{"tokenValidityInSeconds":1,"x":2}', ''];
/** Few enough that what is counted of each in a minute (its refusals) takes no room. */
const MISTAKEN = 5;
const KEYS = 50;
const ADDRESSES = 20;
const BASE = `/beta/deviceManagement/${SET}`;
const BIG = 'x'.repeat(200_000);

const from = (turn: number): Record<string, string> => ({
  'x-forwarded-for': `198.51.100.${turn % ADDRESSES}`,
  'user-agent': 'soak',
});
const as = (token: string, turn: number): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  ...from(turn),
});

/** What comes to a service in a day: mostly people who do as they should, and some of everything else. */
export function createSoakMix(people: SoakPeople): Readonly<Record<string, Kind> & { forged: Kind }> {
  const { tokenOf, profiles, kept, revoked } = people;
  const pathOf = (turn: number) => `${BASE}/${profiles[turn % profiles.length]}`;
  const create = (token: string, turn: number, more: Readonly<Record<string, string>> = {}): Ask => ({
    method: 'POST',
    path: `${pathOf(turn)}/createToken`,
    headers: { ...as(token, turn), ...JSON_TYPE, ...more },
    body: BODY,
  });
  const read = (path: string, token: string, turn: number): Ask => ({
    method: 'GET',
    path,
    headers: as(token, turn),
  });
  const refused = (token: string, turn: number): Ask => create(token, turn);

  return {
    creation: { share: 25, statuses: [204], ask: (turn) => create(tokenOf(turn), turn) },
    representation: {
      share: 8,
      statuses: [200],
      ask: (turn) => create(tokenOf(turn), turn, { prefer: 'return=representation' }),
    },
    // The same person, profile and key come together again; 409 while the one before is under way.
    repetition: {
      share: 6,
      statuses: [204, 409],
      ask: (turn) => create(tokenOf(turn % KEYS), turn % KEYS, { 'idempotency-key': `key-${turn % KEYS}` }),
    },
    revocation: {
      share: 2,
      statuses: [204],
      ask: (turn) => ({
        method: 'POST',
        path: `${BASE}/${revoked}/revokeToken`,
        headers: as(tokenOf(turn), turn),
      }),
    },
    token: {
      share: 8,
      statuses: [200],
      ask: (turn) => read(`${BASE}/${kept}/enrollmentToken`, tokenOf(turn), turn),
    },
    image: {
      share: 3,
      statuses: [200],
      ask: (turn) => read(`${BASE}/${kept}/qrCodeImage`, tokenOf(turn), turn),
    },
    profile: { share: 6, statuses: [200], ask: (turn) => read(pathOf(turn), tokenOf(turn), turn) },
    list: { share: 3, statuses: [200], ask: (turn) => read(`${BASE}?$top=10`, tokenOf(turn), turn) },
    forged: { share: 13, statuses: [401], ask: (turn) => refused(people.forge(), turn) },
    expired: { share: 2, statuses: [401], ask: (turn) => refused(people.expired, turn) },
    elsewhere: { share: 2, statuses: [401], ask: (turn) => refused(people.wrongAudience, turn) },
    garbage: { share: 2, statuses: [401], ask: (turn) => refused(`garbage-${turn}`, turn) },
    anonymous: {
      share: 1,
      statuses: [401],
      ask: (turn) => ({ method: 'GET', path: pathOf(turn), headers: from(turn) }),
    },
    unscoped: { share: 2, statuses: [403], ask: (turn) => refused(people.withoutScope, turn) },
    greedy: { share: 4, statuses: [204, 429], ask: (turn) => create(people.greedyToken(), turn) },
    badBody: {
      share: 4,
      statuses: [400],
      ask: (turn) => ({
        ...create(tokenOf(turn % MISTAKEN), turn),
        body: BAD_BODIES[turn % BAD_BODIES.length] ?? '',
      }),
    },
    bigBody: {
      share: 1,
      statuses: [413],
      ask: (turn) => ({ ...create(tokenOf(turn % MISTAKEN), turn), body: BIG }),
    },
    elsewhat: {
      share: 1,
      statuses: [404],
      ask: (turn) => read(`/beta/nothing/${turn}`, tokenOf(turn), turn),
    },
    leaving: {
      share: 5,
      statuses: [],
      ask: (turn) => ({ ...create(tokenOf(turn), turn), leavesAfter: turn % 9 }),
    },
    // The head promises more than comes.
    halting: {
      share: 1,
      statuses: [],
      ask: (turn) => ({
        ...create(tokenOf(turn), turn, { 'content-length': '1000' }),
        leavesAfter: 20,
      }),
    },
    health: {
      share: 1,
      statuses: [200],
      ask: (turn) => ({ method: 'GET', path: '/healthz', headers: from(turn) }),
    },
  };
}
