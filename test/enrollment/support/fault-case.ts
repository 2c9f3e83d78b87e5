import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { z } from 'zod';
import type { FaultInput } from '../../../sandbox/fault/fault.ts';
import { createDeviceOwnerProfile, createForWorkProfile } from '../../../sandbox/graph/profile.ts';
import type { Parts } from '../../../src/app.ts';
import type { Service } from '../../support/service.ts';
import { waitUntil } from '../../support/wait-until.ts';

export type Operation = 'createToken' | 'revokeToken';

export type Expected = Readonly<{
  status: number;
  code?: string;
  /** In the audit outcome. */
  result: 'success' | 'failed' | 'unknown';
  /** At Graph, in the end. */
  commits: number;
  attempts?: number;
  retryAfter?: number;
}>;

export type FaultCase = Readonly<{
  name: string;
  operation: Operation;
  set?: 'androidForWorkEnrollmentProfiles' | 'androidDeviceOwnerEnrollmentProfiles';
  /** Strike only this case's user; `createToken` unless they name another operation of Graph's. */
  faults: readonly FaultInput[];
  expected: Expected;
}>;

/** A user, a tenant and a profile that no other case touches; or `on` the profile of another actor. */
export type Actor = Readonly<{
  user: Readonly<{ objectId: string; userPrincipalName: string; name: string }>;
  tenantId: string;
  token: string;
  path: string;
  faults: (faults: readonly FaultInput[]) => void;
  /** Sends it to this service, or to another one in its place. */
  send: Send;
  sendTo: (url: string) => Send;
  commits: () => number;
  /** Graph acts now on a creation that it never answered. */
  actLate: () => void;
}>;

/** The answer, with the client-request-id by which the request is found in the journals. */
type Send = (headers?: Readonly<Record<string, string>>, body?: string) => Promise<Answer>;

export type Answer = Readonly<{ status: number; headers: Headers; text: string; clientRequestId: string }>;

const ErrorBody = z.object({ error: z.object({ innerError: z.object({ code: z.string() }) }) });

/** The inner code of an error answer. */
export const readCode = ({ text }: Answer): string | undefined =>
  text === '' ? undefined : ErrorBody.parse(JSON.parse(text)).error.innerError.code;

const SCOPES: Readonly<Record<Operation, string>> = {
  createToken: 'EnrollmentToken.Create',
  revokeToken: 'EnrollmentToken.Revoke',
};

export async function createActor(
  { url, entra, graph }: Service,
  tenantId: string,
  {
    operation = 'createToken',
    set = 'androidDeviceOwnerEnrollmentProfiles',
    on,
  }: Partial<Pick<FaultCase, 'operation' | 'set'>> & Readonly<{ on?: Pick<Actor, 'path'> }> = {},
): Promise<Actor> {
  const user = { objectId: randomUUID(), userPrincipalName: 'user@example.com', name: 'User' };
  const id = randomUUID();
  const seed = { now: Date.now(), canary: '' };
  graph.store.put(
    set,
    set === 'androidForWorkEnrollmentProfiles'
      ? createForWorkProfile(id, 'P', seed)
      : createDeviceOwnerProfile(id, 'P', 'corporateOwnedDedicatedDevice', seed),
  );
  const token = await entra.issueToken({ user, tenantId, scope: SCOPES[operation] });
  const path = on?.path ?? `/beta/deviceManagement/${set}/${id}/${operation}`;
  const sendTo =
    (origin: string): Send =>
    async (headers = {}, body = '{"tokenValidityInSeconds":3600}') => {
      const clientRequestId = randomUUID();
      const response = await fetch(origin + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'client-request-id': clientRequestId,
          ...(operation === 'createToken' && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(operation === 'createToken' && { body }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, clientRequestId };
    };
  return {
    user,
    tenantId,
    token,
    path,
    faults: (faults) => {
      for (const fault of faults) graph.faults.add({ operation, ...fault, user: user.objectId });
    },
    send: sendTo(url),
    sendTo,
    commits: () => graph.journal.commits.filter((commit) => commit.user === user.objectId).length,
    actLate: () => {
      const [, , , , profile = ''] = path.split('/');
      const { tokenValue } = graph.store.createToken(set, profile, 3600);
      graph.journal.addCommit({
        kind: 'commit',
        at: Date.now(),
        operation: 'createToken',
        set,
        id: profile,
        user: user.objectId,
        tenantId,
        requestId: randomUUID(),
        tokenValue,
      });
    },
  };
}

const Outcome = z.object({
  result: z.string(),
  status: z.number(),
  code: z.string().optional(),
  upstream: z.object({
    attempts: z.number(),
    durationMs: z.number(),
    status: z.number().optional(),
    requestId: z.string().optional(),
  }),
});
export type Outcome = z.infer<typeof Outcome>;

/** The outcome record of the request with this client-request-id. */
export async function readOutcome(service: Service, clientRequestId: string): Promise<Outcome> {
  return waitUntil(async () => {
    const records = await service.audited();
    const intent = records.find((record) => record['clientRequestId'] === clientRequestId);
    const outcome = intent && records.find((record) => record['intent'] === intent.id);
    return outcome && Outcome.parse(outcome);
  });
}

/** The same key again: never a second commit, and never another story than the first time. */
async function requireOnce(
  actor: Actor,
  key: Readonly<Record<string, string>>,
  { name, expected }: FaultCase,
) {
  const again = await actor.send(key);
  const code = readCode(again);
  if (expected.result === 'success') assert.equal(again.status, 204, `${name}: again`);
  // A creation may have been found since.
  if (expected.result === 'unknown' && again.status !== 204)
    assert.equal(code, expected.code, `${name}: again`);
  assert.ok(actor.commits() <= 1, `${name}: ${actor.commits()} commits under one key`);
  return again;
}

/** Runs one case, and holds answer, audit and Graph's own journal to what was expected. */
export async function runFaultCase(
  service: Service,
  tenantId: string,
  faultCase: FaultCase,
): Promise<readonly string[]> {
  const { name, faults, expected } = faultCase;
  const actor = await createActor(service, tenantId, faultCase);
  actor.faults(faults);
  const key = { 'idempotency-key': randomUUID() };
  const answer = await actor.send(key);
  const outcome = await readOutcome(service, answer.clientRequestId);
  const seen = {
    status: answer.status,
    code: readCode(answer),
    result: outcome.result,
    ...(expected.attempts !== undefined && { attempts: outcome.upstream.attempts }),
    ...(expected.retryAfter !== undefined && { retryAfter: Number(answer.headers.get('retry-after')) }),
  };
  const { commits, ...rest } = expected;
  assert.deepEqual(seen, { code: undefined, ...rest }, name);
  assert.deepEqual([outcome.status, outcome.code], [seen.status, seen.code], `${name}: audit`);
  await waitUntil(() => actor.commits() === commits, 20_000).catch(() =>
    assert.equal(actor.commits(), commits, `${name}: commits`),
  );
  const again = await requireOnce(actor, key, faultCase);
  const writes = service.graph.journal.requests.filter(
    (request) => request.user === actor.user.objectId && request.method === 'POST',
  );
  assert.ok(writes.length >= outcome.upstream.attempts || outcome.upstream.attempts === 0);
  for (const header of ['set-cookie', 'x-ms-ags-diagnostic', 'location', 'link']) {
    assert.equal(answer.headers.get(header), null, `${name}: ${header}`);
  }
  return [answer, again].map(({ headers, text }) => JSON.stringify([...headers]) + text);
}

/** Everything that operations throw, as `util.inspect` shows it, hidden parts and all. */
export function collectErrors(): Readonly<{
  shown: readonly string[];
  replace: (parts: Parts) => Partial<Parts>;
}> {
  const shown: string[] = [];
  const note = async <Result>(running: Promise<Result>): Promise<Result> => {
    try {
      return await running;
    } catch (error) {
      shown.push(inspect(error, { depth: Infinity, showHidden: true, maxStringLength: null }));
      throw error;
    }
  };
  return {
    shown,
    replace: ({ enrollment }) => ({
      enrollment: {
        ...enrollment,
        create: (request, validity) => note(enrollment.create(request, validity)),
        revoke: (request) => note(enrollment.revoke(request)),
        list: (set, query, context) => note(enrollment.list(set, query, context)),
        get: (request) => note(enrollment.get(request)),
        read: (request) => note(enrollment.read(request)),
      },
    }),
  };
}
