import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { OPERATOR, READER, type User } from '../../sandbox/directory.ts';
import type { FaultInput } from '../../sandbox/fault/fault.ts';
import { startSandbox, type Sandbox } from '../support/sandbox.ts';
import { exchange } from './exchange.ts';
import { sendRequest } from './send-request.ts';

const SET = 'androidDeviceOwnerEnrollmentProfiles';

describe('a fault of the sandbox', () => {
  let sandbox: Sandbox;
  let agent: Agent;
  const bearers = new Map<User, string>();
  /** The delays so far, in milliseconds; the latest lasts until it is ended. */
  const delays: number[] = [];
  let endDelay = () => {};
  before(async () => {
    const delay = (milliseconds: number) =>
      new Promise<void>((resolve) => {
        delays.push(milliseconds);
        endDelay = resolve;
      });
    sandbox = await startSandbox({ graph: { quota: 'off', wait: delay } });
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const user of [OPERATOR, READER]) {
      bearers.set(user, (await exchange(sandbox, await sandbox.entra.issueToken({ user }))).access_token);
    }
  });
  afterEach(() => {
    sandbox.graph.faults.clear();
    sandbox.graph.journal.clear();
  });
  after(async () => {
    agent.destroy();
    await sandbox.close();
  });

  const path = () =>
    `${sandbox.graph.url}/beta/deviceManagement/${SET}/${sandbox.graph.profiles.deviceOwner}`;
  const send = (url: string, user: User, body?: Record<string, unknown>, signal?: AbortSignal) =>
    sendRequest(url, {
      ca: sandbox.ca.caPem,
      headers: { authorization: `Bearer ${bearers.get(user)}` },
      agent,
      ...(body && { body }),
      ...(signal && { signal }),
    });
  const create = (user: User = OPERATOR, signal?: AbortSignal) =>
    send(`${path()}/createToken`, user, { tokenValidityInSeconds: 60 }, signal);
  const commits = () => sandbox.graph.journal.commits.length;
  const strike = (fault: FaultInput) => sandbox.graph.faults.add({ operation: 'createToken', ...fault });

  test('answers in each shape, with the ids of a true answer', async () => {
    const shapes = {
      graph: /^\{"error":\{"code":"ServiceUnavailable"/,
      intune: /"message":"\{\\"_version\\":3/,
      'intune-nested': /"message":"\{\\"_version\\":3,\\"Message\\":\\"\{\\\\\\"_version/,
      html: /^<!DOCTYPE html>/,
      empty: /^$/,
      broken: /"mess$/,
      array: /^\[/,
      huge: /^\{"value":"x{1000}/,
    } as const;
    for (const [body, pattern] of Object.entries(shapes)) {
      sandbox.graph.faults.parseAndAdd({ kind: 'answer', status: 503, body });
      const answer = await create();
      assert.equal(answer.status, 503);
      assert.ok(pattern.test(answer.body), body);
      assert.match(answer.headers['request-id']?.toString() ?? '', /^[0-9a-f-]{36}$/);
    }
    strike({ kind: 'answer', status: 500, body: 'bomb' });
    const bomb = await create();
    assert.equal(bomb.headers['content-encoding'], 'gzip');
    assert.ok(Number(bomb.headers['content-length']) < 64 * 1024);
    assert.equal(commits(), 0);
  });

  test('answers falsely after the act, with headers and lengths of its own', async () => {
    strike({ kind: 'answer', when: 'after', status: 200, headers: { 'set-cookie': ['a=1', 'b=2'] } });
    const answer = await create();
    assert.deepEqual([answer.status, answer.body, answer.headers['set-cookie']], [200, '', ['a=1', 'b=2']]);
    strike({ kind: 'answer', when: 'after', status: 307, headers: { location: 'https://127.0.0.1:1/' } });
    assert.equal((await create()).headers.location, 'https://127.0.0.1:1/');
    assert.equal(commits(), 2);

    sandbox.graph.faults.add({ operation: 'get', kind: 'answer', when: 'after', length: 'none' });
    const unmeasured = await send(path(), OPERATOR);
    assert.equal(unmeasured.headers['content-length'], undefined);
    assert.equal(unmeasured.headers['transfer-encoding'], undefined);
    assert.equal(JSON.parse(unmeasured.body).displayName, 'Scanners');
    sandbox.graph.faults.add({ operation: 'get', kind: 'answer', when: 'after', length: 'chunked' });
    assert.equal((await send(path(), OPERATOR)).headers['transfer-encoding'], 'chunked');
    sandbox.graph.faults.add({
      operation: 'get',
      kind: 'answer',
      when: 'after',
      headers: { 'content-type': 'text/plain' },
    });
    assert.equal((await send(path(), OPERATOR)).headers['content-type'], 'text/plain');
    sandbox.graph.faults.add({ operation: 'get', kind: 'answer', status: 200, body: { text: '{"value":' } });
    assert.equal((await send(path(), OPERATOR)).body, '{"value":');
  });

  for (const [when, acted] of [
    ['before', 0],
    ['after', 1],
  ] as const) {
    test(`resets ${when} acting`, async () => {
      strike({ kind: 'reset', when });
      await assert.rejects(create(), { code: 'ECONNRESET' });
      assert.equal(commits(), acted);
    });

    test(`hangs ${when} acting`, async () => {
      strike({ kind: 'hang', when });
      const controller = new AbortController();
      const pending = create(OPERATOR, controller.signal);
      const requests = () => sandbox.graph.journal.requests.length;
      while (requests() === 0 || commits() < acted) await wait(5);
      controller.abort();
      await assert.rejects(pending, { name: 'AbortError' });
      assert.equal(commits(), acted);
    });
  }

  test('delays: before acting it acts late, even when nobody waits any more', async () => {
    strike({ kind: 'delay', ms: 60 });
    const controller = new AbortController();
    const pending = create(OPERATOR, controller.signal);
    while (delays.length < 1) await wait(5);
    controller.abort();
    await assert.rejects(pending);
    assert.equal(commits(), 0);
    endDelay();
    while (commits() === 0) await wait(5);
    strike({ kind: 'delay', when: 'after', ms: 10 });
    const late = create();
    while (delays.length < 2) await wait(5);
    assert.equal(commits(), 2);
    endDelay();
    assert.equal((await late).status, 204);
    assert.deepEqual(delays, [60, 10]);
  });

  test('cuts head or body', async () => {
    strike({ kind: 'cut', at: 'head' });
    await assert.rejects(create());
    sandbox.graph.faults.add({ operation: 'get', kind: 'cut' });
    await assert.rejects(send(path(), OPERATOR), { code: 'ECONNRESET' });
    assert.equal(commits(), 1);
  });

  test('drips', async () => {
    strike({ kind: 'drip', everyMs: 0.1 });
    assert.equal((await create()).status, 204);
    assert.equal(commits(), 1);
  });

  test('sends an informational answer first', async () => {
    strike({ kind: 'informational' });
    const answer = await create();
    assert.deepEqual([answer.status, answer.informational], [204, [103]]);
    strike({ kind: 'informational', status: 101 });
    assert.equal((await create()).status, 101);
    assert.equal(commits(), 2);
  });

  test('ends a connection that looked reusable', async () => {
    const closed = new Promise((resolve) => agent.once('free', (socket) => socket.once('close', resolve)));
    strike({ kind: 'closeIdle' });
    assert.equal((await create()).status, 204);
    await closed;
  });

  test('shows what stood there before the last act', async () => {
    const read = async () =>
      JSON.parse((await send(`${path()}?$select=tokenValue`, OPERATOR)).body).tokenValue;
    const before = await read();
    await create();
    sandbox.graph.faults.add({ operation: 'get', kind: 'stale' });
    assert.equal(await read(), before);
    assert.notEqual(await read(), before);
  });

  test('strikes only what it matches: operation, user, after so many, so often', async () => {
    strike({ kind: 'answer', status: 500, user: READER.objectId, skip: 1, times: 2 });
    const statuses = async (user: User, count: number) => {
      const seen: number[] = [];
      for (let i = 0; i < count; i += 1) seen.push((await create(user)).status);
      return seen;
    };
    assert.deepEqual(await statuses(OPERATOR, 2), [204, 204]);
    assert.equal((await send(path(), READER)).status, 200);
    assert.deepEqual(await statuses(READER, 4), [204, 500, 500, 204]);
    strike({ kind: 'answer', status: 429, times: 'always' });
    assert.deepEqual(await statuses(READER, 3), [429, 429, 429]);
    assert.equal(sandbox.graph.journal.requests.at(-1)?.fault, 'answer');
    sandbox.graph.faults.clear();
    assert.deepEqual(await statuses(READER, 1), [204]);
  });
});
