import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { decodeJwt, type JWTPayload } from 'jose';
import { z } from 'zod';
import type { Entra } from '../entra.ts';
import type { ExchangeEntry } from '../entra/journal.ts';
import type { Graph } from '../graph.ts';
import type { RequestEntry } from '../graph/journal.ts';
import type { Profile } from '../graph/profile.ts';

const AuditRecord = z.looseObject({
  seq: z.number(),
  kind: z.string(),
  hash: z.string(),
  action: z.string().optional(),
  result: z.string().optional(),
  status: z.number().optional(),
  code: z.string().optional(),
  actor: z
    .looseObject({
      objectId: z.string(),
      userPrincipalName: z.string().optional(),
      scopes: z.array(z.string()),
    })
    .optional(),
});

export type AuditRecord = z.infer<typeof AuditRecord>;

type Answer = Readonly<{ status: number; headers: Headers; body: string; durationMs: number }>;

/** What happened at each hop while one token was created. */
export type FirstToken = Readonly<{
  created: boolean;
  profile: Profile;
  request: Readonly<{ url: string; body: string; claims: JWTPayload }>;
  answer: Answer;
  exchange: ExchangeEntry | undefined;
  graphRequest: RequestEntry | undefined;
  /** The profile in Intune afterwards, its secrets included: this is a sandbox. */
  after: Profile | undefined;
  audit: readonly AuditRecord[];
}>;

const SET = 'androidDeviceOwnerEnrollmentProfiles';
const VALIDITY_SECONDS = 3600;
const MOST_ATTEMPTS = 3;

type Options = Readonly<{
  baseUrl: string;
  entra: Entra;
  graph: Graph;
  profile: Profile;
  token: string;
  auditDirectory: string;
}>;

/** Calls the service as a microservice would, and looks up what everybody saw of it. */
export async function createFirstToken(options: Options): Promise<FirstToken> {
  const { baseUrl, entra, graph, profile, token, auditDirectory } = options;
  const url = `${baseUrl}/beta/deviceManagement/${SET}/${profile.id}/createToken`;
  const body = JSON.stringify({ tokenValidityInSeconds: VALIDITY_SECONDS });
  const answer = await send(url, token, body);
  const { commits, requests } = graph.journal;
  return {
    created: answer.status === 204 && commits.some(({ id }) => id === profile.id),
    profile,
    request: { url, body, claims: decodeJwt(token) },
    answer,
    exchange: entra.journal.exchanges.at(-1),
    graphRequest: requests.find(({ operation }) => operation === 'createToken'),
    after: graph.store.read(SET, profile.id),
    audit: await readAudit(auditDirectory),
  };
}

/** As a well-behaved caller sends it: after a 503, which a busy disk is worth, once more when the service says so. */
async function send(url: string, token: string, body: string, attempt = 1): Promise<Answer> {
  const startedAt = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body,
  });
  const { status, headers } = response;
  const answer = { status, headers, body: await response.text(), durationMs: performance.now() - startedAt };
  if (status !== 503 || attempt === MOST_ATTEMPTS) return answer;
  await wait(Number(headers.get('retry-after')) * 1000);
  return send(url, token, body, attempt + 1);
}

async function readAudit(directory: string): Promise<readonly AuditRecord[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  const lines = texts.join('').split('\n').filter(Boolean);
  return lines.map((line) => AuditRecord.parse(JSON.parse(line)));
}
