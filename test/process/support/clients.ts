import { setTimeout as wait } from 'node:timers/promises';
import { OPERATOR, READER } from '../../../sandbox/directory.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { createClientLog, type Attempt } from './client-log.ts';
import { createKeyedClients, type KeyedCreation } from './keyed-clients.ts';
import type { RawAnswer } from './send-raw.ts';

/** Those with an `Idempotency-Key` are one user, the others another: so a fault of Graph can pick a keyed one. */
export const KEYED_USER = OPERATOR;
const OTHER_USER = READER;

const CLIENTS = 12;
const SHARED_PROFILES = 3;
/** Of the requests without a key, every so many is a revoke. */
const REVOKE_EVERY = 5;
const REPEAT_DELAY = 100;

export type Clients = Readonly<{
  attempts: readonly Attempt[];
  /** All at once, each one request after the other; resolves when the service has died under all of them. */
  load: (origin: string) => Promise<void>;
  /** Asks once more for each creation that was begun with a key, and tells what each is told. */
  askAgain: (origin: string, tell: (creation: KeyedCreation, answer: RawAnswer) => void) => Promise<void>;
}>;

export async function createClients({ entra, graph }: Sandbox): Promise<Clients> {
  const { attempts, createProfile, ask } = createClientLog(graph);
  const { next, answered, all } = createKeyedClients(createProfile);
  const shared = Array.from({ length: SHARED_PROFILES }, createProfile);
  const scope = 'EnrollmentToken.Create EnrollmentToken.Revoke';
  const keyedToken = await entra.issueToken({ user: KEYED_USER, scope });
  const otherToken = await entra.issueToken({ user: OTHER_USER, scope });

  const askKeyed = async (origin: string, creation: KeyedCreation): Promise<RawAnswer> => {
    const answer = await ask({ origin, token: keyedToken, operation: 'createToken', ...creation });
    answered(creation, answer);
    return answer;
  };

  const askOther = (origin: string, turn: number): Promise<RawAnswer> =>
    ask({
      origin,
      token: otherToken,
      operation: turn % REVOKE_EVERY === 0 ? 'revokeToken' : 'createToken',
      profile: shared[turn % shared.length] ?? '',
    });

  const askUntilDead = async (origin: string, client: number): Promise<void> => {
    for (let turn = client; ; turn += 1) {
      const isKeyed = client % 2 === 0;
      const { whole } = await (isKeyed ? askKeyed(origin, next()) : askOther(origin, turn));
      if (!whole) return;
    }
  };

  /** A disk that others keep busy may take longer than a request waits for it: then it says so, and is asked again. */
  const askUntilRecorded = async (origin: string, creation: KeyedCreation): Promise<RawAnswer> => {
    for (;;) {
      const answer = await askKeyed(origin, creation);
      if (answer.code !== 'audit_unavailable' && answer.code !== 'outcome_unrecorded') return answer;
      await wait(REPEAT_DELAY);
    }
  };

  return {
    attempts,
    async load(origin) {
      await Promise.all(Array.from({ length: CLIENTS }, (_, client) => askUntilDead(origin, client)));
    },
    async askAgain(origin, tell) {
      const left = [...all()];
      const work = async (): Promise<void> => {
        for (let creation = left.pop(); creation !== undefined; creation = left.pop()) {
          tell(creation, await askUntilRecorded(origin, creation));
        }
      };
      await Promise.all(Array.from({ length: 4 * CLIENTS }, work));
    },
  };
}
