import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorkUnderWay } from '../src/work-under-way.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('idle waits for everything that began, however it ends, and for what it began in turn', async () => {
  const work = createWorkUnderWay();
  const end = work.begin();
  let fail: (error: Error) => void = () => {};
  const failing = work.track(
    new Promise<never>((_resolve, reject) => {
      fail = reject;
    }),
  );
  let isIdle = false;
  const idle = work.idle(10_000).then((result) => {
    isIdle = result;
  });
  end();
  await turn();
  assert.equal(isIdle, false);
  fail(new Error('no'));
  await assert.rejects(failing);
  const next = work.begin();
  await turn();
  await turn();
  assert.equal(isIdle, false);
  next();
  await idle;
  assert.equal(isIdle, true);
});

test('idle gives up after its time', async () => {
  const work = createWorkUnderWay();
  work.begin();
  assert.equal(await work.idle(1), false);
});

test('idle is at once when nothing is under way', async () => {
  assert.equal(await createWorkUnderWay().idle(10_000), true);
});
