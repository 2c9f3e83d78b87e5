import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { createTurns } from '../../src/enrollment/turns.ts';

const never = { signal: new AbortController().signal };
const over = { signal: AbortSignal.abort() };

function createGate() {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open };
}

test('one after the other under one key, in the order they came; at once under two', async () => {
  const turns = createTurns();
  const steps: string[] = [];
  const { gate, open } = createGate();
  const run = (key: string, name: string, wait?: Promise<void>) =>
    turns(key, never, async () => {
      steps.push(`${name} begins`);
      await wait;
      steps.push(`${name} ends`);
    });
  const all = [run('a', 'first', gate), run('a', 'second'), run('a', 'third'), run('b', 'other')];
  await all[3];
  assert.deepEqual(steps, ['first begins', 'other begins', 'other ends']);
  open();
  await Promise.all(all);
  assert.deepEqual(steps.slice(3), [
    'first ends',
    'second begins',
    'second ends',
    'third begins',
    'third ends',
  ]);
});

test('a failure ends a turn, too, and is handed on', async () => {
  const turns = createTurns();
  const failing = turns('a', never, () => Promise.reject(new Error('broken')));
  const next = turns('a', never, async () => 'done');
  await assert.rejects(failing, { message: 'broken' });
  assert.equal(await next, 'done');
});

test('who waits past its deadline is never run, and does not let the next one pass the first', async () => {
  const turns = createTurns();
  const { gate, open } = createGate();
  const impatient = new AbortController();
  const steps: string[] = [];
  const first = turns('a', never, () => gate);
  const second = turns('a', impatient, async () => steps.push('second'));
  const third = turns('a', never, async () => steps.push('third'));
  impatient.abort();
  await assert.rejects(second, { code: 'upstream_timeout' });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(steps, []);
  open();
  await Promise.all([first, third]);
  assert.deepEqual(steps, ['third']);
  // Nobody is before it: it may run, and will see for itself.
  assert.equal(await turns('a', over, async () => 'free'), 'free');
});

test('security: the last one to wait gives up, and who comes then still does not pass the first', async () => {
  const turns = createTurns();
  const { gate, open } = createGate();
  const steps: string[] = [];
  const first = turns('a', never, async () => {
    await gate;
    steps.push('first ends');
  });
  for (const patience of [over, over]) {
    await assert.rejects(
      turns('a', patience, async () => steps.push('gave up')),
      { code: 'upstream_timeout' },
    );
  }
  const last = turns('a', never, async () => steps.push('last'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(steps, []);
  open();
  await Promise.all([first, last]);
  assert.deepEqual(steps, ['first ends', 'last']);
  assert.equal(await turns('a', over, async () => 'free'), 'free');
});

test('who leaves while it waits is never run; nobody is listened to any longer than that', async () => {
  const turns = createTurns();
  const { gate, open } = createGate();
  const connection = Object.assign(new EventEmitter(), { destroyed: false });
  const patience = { signal: never.signal, connection };
  const first = turns('a', never, () => gate);
  const leaving = turns('a', patience, async () => assert.fail('it has left'));
  const gone = { signal: never.signal, connection: Object.assign(new EventEmitter(), { destroyed: true }) };
  await assert.rejects(
    turns('a', gone, async () => assert.fail('it had left')),
    { code: 'upstream_timeout' },
  );
  connection.destroyed = true;
  connection.emit('close');
  await assert.rejects(leaving, { code: 'upstream_timeout', message: /left before anything was done/ });
  assert.equal(connection.listenerCount('close'), 0);

  const staying = Object.assign(new EventEmitter(), { destroyed: false });
  const second = turns('a', { signal: never.signal, connection: staying }, async () => 'second');
  open();
  await first;
  assert.equal(await second, 'second');
  assert.equal(staying.listenerCount('close'), 0);
});
