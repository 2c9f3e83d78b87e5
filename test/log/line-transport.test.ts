import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLineBatch } from '../../src/log/line-transport.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('the lines of one turn are written at once, in order', async () => {
  const writes: string[] = [];
  const { add: take, flush } = createLineBatch((lines) => writes.push(lines));
  take('a\n', 'info');
  take('b\n', 'warn');
  assert.deepEqual(writes, []);
  await turn();
  take('c\n', 'debug');
  await turn();
  assert.deepEqual(writes, ['a\nb\n', 'c\n']);
  take('d\n', 'info');
  flush();
  assert.equal(writes.at(-1), 'd\n');
});

test('an error is written at once, behind what came before it', async () => {
  const writes: string[] = [];
  const { add: take } = createLineBatch((lines) => writes.push(lines));
  take('a\n', 'info');
  take('b\n', 'error');
  assert.deepEqual(writes, ['a\nb\n']);
  take('c\n', 'error');
  await turn();
  assert.deepEqual(writes, ['a\nb\n', 'c\n']);
});
