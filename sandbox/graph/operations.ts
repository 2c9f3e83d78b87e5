import { z } from 'zod';
import { toEmptyAnswer, toJsonAnswer, type Answer } from '../http/answer.ts';
import type { Incoming } from '../http/incoming.ts';
import { toGraphError, toIntuneError } from './error-body.ts';
import type { CommitEntry } from './journal.ts';
import type { Profile } from './profile.ts';
import type { ProfileStore } from './profile-store.ts';
import { QueryError, requireKnownOptions, select, toPage } from './query.ts';
import type { GraphRoute } from './routes.ts';

const CreateTokenBody = z.strictObject({ tokenValidityInSeconds: z.int32().positive() });

type OperationOptions = Readonly<{
  store: ProfileStore;
  /** Told of each act that changed something. */
  commit: (entry: Pick<CommitEntry, 'operation' | 'set' | 'id' | 'tokenValue'>) => void;
  url: string;
  pageSize: number;
  canary: string;
  stale: boolean;
  /** The `client-request-id`. */
  requestId: string;
}>;

/** Does what the caller, who may, asks for. */
export function perform(route: GraphRoute, request: Incoming, options: OperationOptions): Answer {
  try {
    return route.operation === 'createToken' || route.operation === 'revokeToken'
      ? act(route.operation, route, request, options)
      : read(route, request, options);
  } catch (error) {
    if (error instanceof QueryError)
      return toJsonAnswer(400, toGraphError(400, error.message, options.requestId));
    throw error;
  }
}

function act(
  operation: CommitEntry['operation'],
  { set, id }: GraphRoute,
  request: Incoming,
  { store, commit, canary, requestId }: OperationOptions,
): Answer {
  const found = store.find(set, id);
  if (found === undefined) return toNotFound({ requestId, canary });
  const body = operation === 'createToken' ? readBody(request.body) : { tokenValidityInSeconds: 0 };
  if (body === undefined) {
    const message = 'tokenValidityInSeconds is missing or out of range';
    return toJsonAnswer(400, toIntuneError(400, requestId, { message, canary }));
  }
  const after: Profile =
    operation === 'createToken'
      ? store.createToken(set, found.id, body.tokenValidityInSeconds)
      : store.revokeToken(set, found.id);
  commit({ operation, set, id: found.id, tokenValue: after.tokenValue });
  return toEmptyAnswer(204);
}

function read({ operation, set, id }: GraphRoute, { query }: Incoming, options: OperationOptions): Answer {
  const { store, url, pageSize, canary, requestId, stale } = options;
  requireKnownOptions(query);
  const context = `${url}/beta/$metadata#deviceManagement/${set}`;
  if (operation === 'get') {
    const profile = store.read(set, id, { stale });
    if (profile === undefined) return toNotFound({ requestId, canary });
    return toJsonAnswer(200, { '@odata.context': `${context}/$entity`, ...select(profile, query) });
  }
  const { value, total, next } = toPage(store.list(set), query, pageSize);
  return toJsonAnswer(200, {
    '@odata.context': context,
    ...(query.get('$count') === 'true' && { '@odata.count': total }),
    ...(next !== undefined && { '@odata.nextLink': `${url}/beta/deviceManagement/${set}?${next}` }),
    value: value.map((profile) => select(profile, query)),
  });
}

function readBody(text: string): z.output<typeof CreateTokenBody> | undefined {
  try {
    return CreateTokenBody.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const toNotFound = ({ requestId, canary }: Pick<OperationOptions, 'requestId' | 'canary'>): Answer =>
  toJsonAnswer(404, toIntuneError(404, requestId, { message: 'The profile was not found', canary }));
