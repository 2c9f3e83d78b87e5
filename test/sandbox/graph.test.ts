import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { z } from 'zod';
import { OPERATOR, READER, TENANT_ID, type User } from '../../sandbox/directory.ts';
import { startSandbox, type Sandbox } from '../support/sandbox.ts';
import { exchange, type Form } from './exchange.ts';
import { sendRequest } from './send-request.ts';

const FOR_WORK = 'androidForWorkEnrollmentProfiles';
const DEVICE_OWNER = 'androidDeviceOwnerEnrollmentProfiles';
const SECRETS = 'tokenValue,tokenExpirationDateTime,qrCodeContent,qrCodeImage';
const SELECT = `$select=${SECRETS}`;
const NEVER = '0001-01-01T00:00:00Z';

const GraphError = z.object({
  error: z.object({ code: z.string(), message: z.string(), innerError: z.looseObject({}) }),
});
const Intune = z.object({ Message: z.string(), RetryAfter: z.number().nullable(), HttpHeaders: z.string() });
const Profile = z.looseObject({ id: z.string() });
const List = z.object({ value: z.array(Profile), '@odata.nextLink': z.string().optional() });
const Image = z.object({ type: z.literal('image/png'), value: z.base64() });

describe('the sandbox Graph', () => {
  let sandbox: Sandbox;
  let directory: string;
  let clock = Date.parse('2026-11-24T02:00:00.500Z');
  const now = () => clock;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sandbox-graph-'));
  });
  beforeEach(async () => {
    const journalFile = join(directory, `${randomUUID()}.jsonl`);
    sandbox = await startSandbox({
      entra: { now },
      graph: { now, canary: 'CANARY', pageSize: 1, journalFile, quota: { writes: 3 } },
    });
  });
  afterEach(() => sandbox.close());
  after(() => rm(directory, { recursive: true }));

  const bearer = async (user: User = OPERATOR, changes: Form = {}) => {
    const { access_token: token } = await exchange(
      sandbox,
      await sandbox.entra.issueToken({ user }),
      changes,
    );
    return { authorization: `Bearer ${token}` };
  };
  const send = (path: string, headers: Record<string, string>, body?: Record<string, unknown>) =>
    sendRequest(`${sandbox.graph.url}/beta/deviceManagement/${path}`, {
      ca: sandbox.ca.caPem,
      headers,
      ...(body && { body, method: 'POST' }),
    });
  const read = async (path: string, headers: Record<string, string>) =>
    Profile.parse(JSON.parse((await send(path, headers)).body));
  const codeOf = async (...args: Parameters<typeof send>) => {
    const { status, body } = await send(...args);
    return [status, GraphError.parse(JSON.parse(body)).error.code];
  };
  const control = (path: string, body: Record<string, unknown>) =>
    sendRequest(`${sandbox.graph.url}/sandbox/${path}`, { ca: sandbox.ca.caPem, body });

  test('creates a token, to be read with $select only', async () => {
    const { graph } = sandbox;
    const headers = await bearer();
    const path = `${DEVICE_OWNER}/${graph.profiles.deviceOwner}`;
    const clientRequestId = randomUUID();
    const answer = await send(
      `${path}/createToken`,
      { ...headers, 'client-request-id': clientRequestId },
      { tokenValidityInSeconds: 60 },
    );
    assert.deepEqual([answer.status, answer.body], [204, '']);
    assert.equal(answer.headers['client-request-id'], clientRequestId);
    assert.match(answer.headers['request-id']?.toString() ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(Date.parse(answer.headers.date ?? ''), Math.floor(clock / 1000) * 1000);

    const plain = await read(path, headers);
    assert.deepEqual([plain['tokenValue'], plain['qrCodeContent'], plain['qrCodeImage']], ['', '', null]);
    assert.equal(plain['wifiPassword'], 'CANARYwifi-password-in-clear');
    const secret = await read(`${path}?${SELECT},tokenCreationDateTime`, headers);
    assert.match(String(secret['tokenValue']), /^CANARY[0-9A-F]{24}$/);
    assert.equal(secret['tokenCreationDateTime'], '2026-11-24T02:00:00.5000000Z');
    assert.equal(secret['tokenExpirationDateTime'], '2026-11-24T02:01:00.5000000Z');
    assert.match(String(secret['qrCodeContent']), new RegExp(String(secret['tokenValue'])));
    const png = Buffer.from(Image.parse(secret['qrCodeImage']).value, 'base64');
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    const pixels = png.indexOf('IDAT') + 4;
    assert.equal(inflateSync(png.subarray(pixels, pixels + png.readUInt32BE(pixels - 8))).length, 32 * 5);

    const [commit] = graph.journal.commits;
    assert.deepEqual(
      [
        commit?.operation,
        commit?.id,
        commit?.user,
        commit?.tenantId,
        commit?.clientRequestId,
        commit?.tokenValue,
      ],
      [
        'createToken',
        graph.profiles.deviceOwner,
        OPERATOR.objectId,
        TENANT_ID,
        clientRequestId,
        secret['tokenValue'],
      ],
    );
    const [request] = graph.journal.requests;
    assert.deepEqual(
      [request?.operation, request?.user, request?.status, request?.headers['authorization']],
      ['createToken', OPERATOR.objectId, 204, '[a Graph token]'],
    );

    await send(`${path}/createToken`, headers, { tokenValidityInSeconds: 60 });
    assert.notEqual((await read(`${path}?${SELECT}`, headers))['tokenValue'], secret['tokenValue']);
  });

  test('revokes a token', async () => {
    const headers = await bearer();
    const path = `${FOR_WORK}/${sandbox.graph.profiles.forWork}`;
    await send(`${path}/createToken`, headers, { tokenValidityInSeconds: 60 });
    assert.equal((await send(`${path}/revokeToken`, headers, {})).status, 204);
    const profile = await read(`${path}?${SELECT}`, headers);
    assert.deepEqual([profile['tokenValue'], profile['tokenExpirationDateTime']], ['', NEVER]);
    assert.deepEqual(
      sandbox.graph.journal.commits.map(({ operation }) => operation),
      ['createToken', 'revokeToken'],
    );
  });

  test('an AOSP profile takes the prefix in actions and the bare GUID in reads', async () => {
    const headers = await bearer();
    const { aosp, deviceOwner } = sandbox.graph.profiles;
    const body = { tokenValidityInSeconds: 60 };
    assert.equal((await send(`${DEVICE_OWNER}/AOSP-${aosp}/createToken`, headers, body)).status, 204);
    assert.equal((await send(`${DEVICE_OWNER}/AOSP-${deviceOwner}/createToken`, headers, body)).status, 404);
    assert.equal((await send(`${DEVICE_OWNER}/${aosp}/createToken`, headers, body)).status, 404);
    assert.equal((await send(`${DEVICE_OWNER}/AOSP-${aosp}`, headers)).status, 404);
    assert.equal((await send(`${DEVICE_OWNER}/${aosp}`, headers)).status, 200);
  });

  test('lists in pages, filtered and ordered', async () => {
    const headers = await bearer();
    const list = async (path: string) => List.parse(JSON.parse((await send(path, headers)).body));
    const first = await list(`${DEVICE_OWNER}?$orderby=displayName`);
    const next = first['@odata.nextLink'] ?? '';
    assert.ok(next.startsWith(`${sandbox.graph.url}/beta/deviceManagement/${DEVICE_OWNER}?`));
    const second = await list(next.slice(next.indexOf(DEVICE_OWNER)));
    assert.deepEqual(
      [...first.value, ...second.value].map((one) => one['displayName']),
      ['Headsets', 'Scanners'],
    );
    assert.equal(second['@odata.nextLink'], undefined);
    const filtered = await list(`${DEVICE_OWNER}?$filter=displayName eq 'Scanners'&$select=displayName`);
    assert.deepEqual(filtered.value, [{ id: sandbox.graph.profiles.deviceOwner, displayName: 'Scanners' }]);
    assert.equal((await list(`${DEVICE_OWNER}?$skip=1&$top=5`)).value[0]?.['displayName'], 'Headsets');
    assert.equal((await send(`${DEVICE_OWNER}?$expand=x`, headers)).status, 400);
  });

  test('refuses what it cannot do, in the shapes of Graph and Intune', async () => {
    const headers = await bearer();
    const path = `${FOR_WORK}/${sandbox.graph.profiles.forWork}/createToken`;
    assert.deepEqual(await codeOf(path, headers, { tokenValidityInSeconds: 'x' }), [400, 'BadRequest']);
    assert.deepEqual(await codeOf(path, headers, { tokenValidityInSeconds: 2 ** 31 }), [400, 'BadRequest']);
    assert.deepEqual(await codeOf(`${FOR_WORK}/${randomUUID()}`, headers), [404, 'ResourceNotFound']);
    assert.deepEqual(await codeOf(path, {}, {}), [401, 'InvalidAuthenticationToken']);
    const callers = { authorization: `Bearer ${await sandbox.entra.issueToken()}` };
    assert.deepEqual(await codeOf(path, callers, {}), [401, 'InvalidAuthenticationToken']);
    assert.equal(sandbox.graph.journal.requests.at(-1)?.headers['authorization'], '[not a Graph token]');
    clock += 2 * 60 * 60_000;
    assert.deepEqual(await codeOf(path, headers, {}), [401, 'InvalidAuthenticationToken']);
    assert.equal(sandbox.graph.journal.commits.length, 0);
  });

  test('a user without the Intune role is forbidden, in words that leak', async () => {
    sandbox.graph.access.setRole(READER.objectId, false);
    const answer = await send(FOR_WORK, await bearer(READER));
    const { error } = GraphError.parse(JSON.parse(answer.body));
    assert.deepEqual([answer.status, error.code], [403, 'Forbidden']);
    assert.match(Intune.parse(JSON.parse(error.message)).Message, /https:\/\/fef\.CANARY/);
    assert.equal((await send(FOR_WORK, await bearer(OPERATOR))).status, 200);
  });

  test('challenges a user until the token was asked with the claims', async () => {
    const claims = { access_token: { nbf: { essential: true, value: '1764000000' } } };
    sandbox.graph.access.challenge(OPERATOR.objectId, claims);
    const answer = await send(FOR_WORK, await bearer());
    assert.equal(answer.status, 401);
    const [, error, encoded] =
      /error="(\w+)", claims="(.+)"$/.exec(answer.headers['www-authenticate'] ?? '') ?? [];
    assert.equal(error, 'insufficient_claims');
    assert.deepEqual(JSON.parse(Buffer.from(encoded ?? '', 'base64').toString()), claims);
    const asked = await bearer(OPERATOR, { claims: JSON.stringify(claims) });
    assert.equal((await send(FOR_WORK, asked)).status, 200);
  });

  test('throttles writes of a tenant beyond the quota, the throttled ones counted too', async () => {
    const path = `${FOR_WORK}/${sandbox.graph.profiles.forWork}/createToken`;
    const body = { tokenValidityInSeconds: 60 };
    const headers = await bearer();
    for (let i = 0; i < 3; i += 1) assert.equal((await send(path, headers, body)).status, 204);
    clock += 1000;
    const answer = await send(path, await bearer(READER), body);
    assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '19']);
    const { message } = GraphError.parse(JSON.parse(answer.body)).error;
    assert.equal(Intune.parse(JSON.parse(message)).RetryAfter, 19);
    assert.equal((await send(FOR_WORK, headers)).status, 200, 'reads have their own quota');
    clock += 20_000;
    assert.equal((await send(path, headers, body)).status, 204);
    assert.equal(sandbox.graph.journal.commits.length, 4);
  });

  test('writes its journal to a file too', async () => {
    const headers = await bearer();
    const { journal, profiles } = sandbox.graph;
    await send(`${FOR_WORK}/${profiles.forWork}/createToken`, headers, { tokenValidityInSeconds: 60 });
    const written = readFileSync(journal.file ?? '', 'utf8')
      .trim()
      .split('\n');
    assert.deepEqual(
      written.map((line) => JSON.parse(line).kind),
      ['request', 'commit'],
    );
    assert.ok(!written.join().includes('Bearer'));
  });

  test('is told what to do over HTTP', async () => {
    const { graph } = sandbox;
    const id = graph.profiles.forWork;
    assert.equal((await control('faults', { operation: 'list', kind: 'answer', status: 503 })).status, 204);
    assert.equal((await send(FOR_WORK, await bearer())).status, 503);
    await control('roles', { user: OPERATOR.objectId, hasRole: false });
    assert.equal((await send(FOR_WORK, await bearer())).status, 403);
    await control('roles', { user: OPERATOR.objectId, hasRole: true });
    await control('challenges', { user: OPERATOR.objectId, claims: { access_token: { a: 1 } } });
    assert.equal((await send(FOR_WORK, await bearer())).status, 401);
    await control('foreign-tokens', { set: FOR_WORK, id });
    assert.match(graph.store.read(FOR_WORK, id)?.tokenValue ?? '', /^CANARY/);
    const journal = await sendRequest(`${graph.url}/sandbox/journal`, { ca: sandbox.ca.caPem });
    assert.equal(JSON.parse(journal.body).requests.length, 3);
  });
});
