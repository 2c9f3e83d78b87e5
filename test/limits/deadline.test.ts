import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeadlineError, withDeadline } from '../../src/limits/deadline.ts';

function toDeferred() {
  let resolve = (_value: unknown): void => {};
  const promise = new Promise<unknown>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('withDeadline', () => {
  it('passes on what comes in time', async () => {
    assert.equal(await withDeadline(Promise.resolve(1), 1000), 1);
    await assert.rejects(withDeadline(Promise.reject(new RangeError('no')), 1000), RangeError);
  });

  it('rejects when nothing comes', async () => {
    await assert.rejects(withDeadline(new Promise(() => {}), 5), DeadlineError);
  });

  it('hands over what comes after the time', async () => {
    const late: unknown[] = [];
    const { promise, resolve } = toDeferred();
    await assert.rejects(
      withDeadline(promise, 5, (value) => void late.push(value)),
      DeadlineError,
    );
    assert.deepEqual(late, []);
    resolve('late');
    await new Promise(setImmediate);
    assert.deepEqual(late, ['late']);
  });

  it('counts an answer that arrived while this process was busy', async () => {
    const answer = new Promise((resolve) => {
      setTimeout(() => setImmediate(resolve, 'in time'), 1); // as a socket is read: after the timers
    });
    const inTime = withDeadline(answer, 5);
    const until = performance.now() + 20;
    while (performance.now() < until);
    assert.equal(await inTime, 'in time');
  });
});
