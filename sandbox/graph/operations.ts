import { z } from 'zod';
import type { GraphTokenRecord } from '../entra/graph-tokens.ts';
import { toEmptyAnswer, toJsonAnswer, type Answer } from '../http/answer.ts';
import type { Access } from './access.ts';
import type { Call } from './call.ts';
import { toGraphError, toIntuneError } from './error-body.ts';
import type { CommitEntry, GraphJournal } from './journal.ts';
import type { ProfileStore } from './profile-store.ts';
import { QueryError, requireKnownOptions, select, toPage } from './query.ts';
import type { GraphRoute } from './routes.ts';
import type { Throttle } from './throttle.ts';

type PerformOptions = Readonly<{
  store: ProfileStore;
  access: Access;
  throttle: Throttle;
  journal: GraphJournal;
  /** Origin of this Graph. */
  url: () => string;
  pageSize: number;
  canary: string;
  now: () => number;
}>;

/** Does what a call asks for, if its token may and the quota allows. `stale`: reads see what stood there before the last act. */
export type Perform = (call: Call, mode: Readonly<{ stale: boolean }>) => Answer;

type Action = CommitEntry['operation'];

const CreateTokenBody = z.strictObject({ tokenValidityInSeconds: z.int32().positive() });

export function createPerform(options: PerformOptions): Perform {
  const { store, access, throttle, journal, url, pageSize, canary, now } = options;

  const act = (operation: Action, { set, id }: GraphRoute, token: GraphTokenRecord, call: Call): Answer => {
    const { request, requestId, clientRequestId } = call;
    const found = store.find(set, id);
    if (found === undefined) return toNotFound(call, canary);
    const validity = operation === 'createToken' ? readValidity(request.body) : 0;
    if (validity === undefined) {
      const message = 'tokenValidityInSeconds is missing or out of range';
      return toJsonAnswer(400, toIntuneError(400, toIntuneId(call), { message, canary }));
    }
    const { tokenValue } =
      operation === 'createToken'
        ? store.createToken(set, found.id, validity)
        : store.revokeToken(set, found.id);
    journal.addCommit({
      kind: 'commit',
      at: now(),
      operation,
      set,
      id: found.id,
      user: token.user,
      tenantId: token.tenantId,
      requestId,
      ...(clientRequestId !== undefined && { clientRequestId }),
      tokenValue,
    });
    return toEmptyAnswer(204);
  };

  const read = ({ operation, set, id }: GraphRoute, call: Call, stale: boolean): Answer => {
    const { query } = call.request;
    requireKnownOptions(query);
    const context = `${url()}/beta/$metadata#deviceManagement/${set}`;
    if (operation === 'get') {
      const profile = store.read(set, id, { stale });
      if (profile === undefined) return toNotFound(call, canary);
      return toJsonAnswer(200, { '@odata.context': `${context}/$entity`, ...select(profile, query) });
    }
    const { value, total, next } = toPage(store.list(set), query, pageSize);
    return toJsonAnswer(200, {
      '@odata.context': context,
      ...(query.get('$count') === 'true' && { '@odata.count': total }),
      ...(next !== undefined && { '@odata.nextLink': `${url()}/beta/deviceManagement/${set}?${next}` }),
      value: value.map((profile) => select(profile, query)),
    });
  };

  return (call, { stale }) => {
    const { token, route } = call;
    const requestId = toIntuneId(call);
    if (token === undefined || route === undefined) {
      const missing = toJsonAnswer(400, toGraphError(400, 'Resource not found for the segment.', requestId));
      return access.refuse(token, requestId) ?? missing;
    }
    const { operation } = route;
    const action = operation === 'createToken' || operation === 'revokeToken' ? operation : undefined;
    const refusal = throttle(token, action !== undefined, requestId) ?? access.refuse(token, requestId);
    if (refusal !== undefined) return refusal;
    try {
      return action === undefined ? read(route, call, stale) : act(action, route, token, call);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      return toJsonAnswer(400, toGraphError(400, error.message, requestId));
    }
  };
}

/** Intune names a request by the id that the client sent. */
const toIntuneId = ({ clientRequestId, requestId }: Call): string => clientRequestId ?? requestId;

const toNotFound = (call: Call, canary: string): Answer =>
  toJsonAnswer(404, toIntuneError(404, toIntuneId(call), { message: 'The profile was not found', canary }));

function readValidity(text: string): number | undefined {
  try {
    return CreateTokenBody.safeParse(JSON.parse(text)).data?.tokenValidityInSeconds;
  } catch {
    return undefined;
  }
}
