import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { generateSigningKey } from '../../sandbox/entra/signing-keys.ts';
import { startService, type Service } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { ask } from './support/ask.ts';
import { createClock, HOUR, SECOND, type Clock } from './support/clock.ts';

/** How long an unknown `kid` that was looked for in vain keeps the next one from being looked for. */
const COOL_DOWN = 30 * SECOND;
const WORKERS = 8;
const LONG = process.env['TEST_LONG'] === '1';

type Bench = Readonly<{ service: Service; clock: Clock; loads: () => number }>;

async function startBench(t: TestContext): Promise<Bench> {
  const clock = createClock();
  const service = await startService(t, {
    now: clock.now,
    environment: { RATE_LIMIT_ADDRESS: 'off', RATE_LIMIT_CLIENT: 'off', RATE_LIMIT_TENANT: 'off' },
  });
  return { service, clock, loads: () => service.entra.journal.counts.metadata };
}

const unknownKey = async ({ entra, bearer }: Service) => {
  const current = entra.keys.current();
  return bearer({ key: { ...current, kid: 'nobody-published-this' } });
};

test('keys rotated under load: no request with a valid token fails', async (t) => {
  const { service, clock, loads } = await startBench(t);
  const { keys } = service.entra;
  const rotations = LONG ? 40 : 4;
  const statuses = new Map<number, number>();
  const withKey = new Map<string, number>();
  const rotation = { isOver: false };

  const work = async () => {
    while (!rotation.isOver) {
      const { kid } = keys.current();
      const { status } = await ask(service, await service.bearer());
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      withKey.set(kid, (withKey.get(kid) ?? 0) + 1);
    }
  };
  const workers = Array.from({ length: WORKERS }, work);
  const signedWithTheFirst = await service.bearer();
  for (let count = 0; count < rotations; count += 1) {
    const { kid } = keys.current();
    await waitUntil(() => (withKey.get(kid) ?? 0) >= 2 * WORKERS);
    clock.advance(COOL_DOWN);
    await keys.rotate();
  }
  const { kid } = keys.current();
  await waitUntil(() => (withKey.get(kid) ?? 0) >= 2 * WORKERS);
  rotation.isOver = true;
  await Promise.all(workers);

  assert.deepEqual([...statuses.keys()], [204]);
  assert.equal((await ask(service, signedWithTheFirst)).status, 204, 'a key published still');
  assert.ok(loads() <= 1 + rotations, `${loads()} loads for ${rotations} rotations`);
});

test('a key that signs before it is published: its tokens pass as soon as it is, 30 s after it was missed', async (t) => {
  const { service, clock } = await startBench(t);
  const { keys } = service.entra;
  const known = await service.bearer();
  assert.equal((await ask(service, known)).status, 204);

  await keys.rotate({ published: false });
  const early = await ask(service, await service.bearer());
  assert.deepEqual([early.status, early.code], [401, 'invalid_token']);
  keys.publish();
  clock.advance(COOL_DOWN);
  assert.equal((await ask(service, await service.bearer())).status, 204);
  assert.equal((await ask(service, known)).status, 204);
});

test('emergency swap: the new key serves at once, and the withdrawn one no more', async (t) => {
  const { service } = await startBench(t);
  const { keys } = service.entra;
  const withdrawn = await service.bearer();
  assert.equal((await ask(service, withdrawn)).status, 204);

  await keys.swapKeys();
  const replies = await Promise.all(
    Array.from({ length: WORKERS }, async () => ask(service, await service.bearer())),
  );
  assert.deepEqual([...new Set(replies.map(({ status }) => status))], [204]);
  // Verified before, and remembered: the cache must not outlive the key.
  const { status, code } = await ask(service, withdrawn);
  assert.deepEqual([status, code], [401, 'invalid_token']);
});

test('emergency swap right after somebody asked for an unknown key: 30 s later no valid token fails', async (t) => {
  const { service, clock, loads } = await startBench(t);
  const { keys } = service.entra;
  const withdrawn = await service.bearer();
  assert.equal((await ask(service, withdrawn)).status, 204);
  assert.equal((await ask(service, await unknownKey(service))).code, 'invalid_token');

  await keys.swapKeys();
  clock.advance(COOL_DOWN - 1);
  const before = loads();
  const flood = await Promise.all(
    Array.from({ length: 4 * WORKERS }, async () => ask(service, await unknownKey(service))),
  );
  assert.deepEqual([...new Set(flood.map(({ code }) => code))], ['invalid_token']);
  assert.equal(loads(), before, 'a flood of unknown keys asks Entra again within 30 s');

  clock.advance(1);
  // The flood goes on, and must not hide the key either.
  const replies = await Promise.all(
    Array.from({ length: WORKERS }, async () =>
      Promise.all([ask(service, await unknownKey(service)), ask(service, await service.bearer())]),
    ),
  );
  assert.deepEqual(
    [...new Set(replies.map(([unknown, valid]) => `${unknown.status} ${valid.status}`))],
    ['401 204'],
  );
  assert.equal(loads(), before + 1);
  assert.equal((await ask(service, withdrawn)).code, 'invalid_token');
});

for (const sameKid of [false, true]) {
  const kind = sameKid ? 'that keeps the name of the key' : 'to a key of another name';

  test(`emergency swap ${kind}, under load: no token of the new key fails, and none of the old one passes again`, async (t) => {
    const { service, clock, loads } = await startBench(t);
    const { keys } = service.entra;
    const swaps = LONG ? 20 : 2;
    const ofTheNewest: number[] = [];
    /** Of requests under way at a swap: either key may have judged them. */
    const ofOlder = new Set<string>();
    let swapped = 0;
    const swapping = { isOver: false };

    const work = async () => {
      while (!swapping.isOver) {
        const before = swapped;
        const headers = await service.bearer();
        const { status, code } = await ask(service, headers);
        if (before !== swapped) ofOlder.add(`${status} ${code}`);
        else ofTheNewest.push(status);
      }
    };
    const workers = Array.from({ length: WORKERS }, work);
    const isWorking = async () => {
      const { length } = ofTheNewest;
      await waitUntil(() => ofTheNewest.length >= length + 2 * WORKERS);
    };
    for (let count = 0; count < swaps; count += 1) {
      await isWorking();
      const withdrawn = await service.bearer();
      assert.equal((await ask(service, withdrawn)).status, 204);
      clock.advance(COOL_DOWN);
      await keys.swapKeys({ sameKid });
      swapped += 1;
      await isWorking();
      const { status, code } = await ask(service, withdrawn);
      assert.deepEqual([status, code], [401, 'invalid_token']);
    }
    swapping.isOver = true;
    await Promise.all(workers);

    assert.deepEqual([...new Set(ofTheNewest)], [204]);
    const possible = ['204 undefined', '401 invalid_token'];
    assert.deepEqual(
      [...ofOlder].filter((outcome) => !possible.includes(outcome)),
      [],
    );
    assert.ok(loads() <= 1 + swaps, `${loads()} loads for ${swaps} swaps`);
  });
}

test('a swap that keeps the name of the key right after somebody sent a forged token: it passes 30 s later', async (t) => {
  const { service, clock, loads } = await startBench(t);
  const { keys } = service.entra;
  const withdrawn = await service.bearer();
  assert.equal((await ask(service, withdrawn)).status, 204);
  const stranger = await generateSigningKey(keys.current().kid);
  assert.equal((await ask(service, await service.bearer({ key: stranger }))).code, 'invalid_token');

  await keys.swapKeys({ sameKid: true });
  const early = await service.bearer();
  const before = loads();
  assert.equal((await ask(service, early)).code, 'invalid_token');
  assert.equal(loads(), before, 'forged tokens ask Entra again within 30 s');
  clock.advance(COOL_DOWN);
  assert.equal((await ask(service, early)).status, 204);
  assert.equal((await ask(service, withdrawn)).code, 'invalid_token');
  assert.equal(loads(), before + 1);
});

test('security: an idle service does not take the word of a key that was withdrawn meanwhile', async (t) => {
  const { service, clock } = await startBench(t);
  assert.equal((await ask(service, await service.bearer())).status, 204);
  const withdrawn = service.entra.keys.current();
  await service.entra.keys.swapKeys();
  clock.advance(23 * HOUR);
  const reply = await ask(service, await service.bearer({ key: withdrawn }));
  assert.deepEqual([reply.status, reply.code], [401, 'invalid_token']);
  assert.equal((await ask(service, await service.bearer())).status, 204);
});
