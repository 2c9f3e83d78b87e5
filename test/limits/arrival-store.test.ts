import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createArrivalStore } from '../../src/limits/arrival-store.ts';

const WINDOW = 60_000;
const NOW = 1_000_000;

describe('createArrivalStore', () => {
  it('remembers the last write of a key', () => {
    const store = createArrivalStore({ maxKeys: 10, window: WINDOW });
    assert.equal(store.read('a'), 0);
    store.write('a', NOW + 1, NOW);
    store.write('a', NOW + 2, NOW);
    assert.equal(store.read('a'), NOW + 2);
    assert.equal(store.size(), 1);
  });

  it('stays within its bound', () => {
    const store = createArrivalStore({ maxKeys: 100, window: WINDOW });
    for (let i = 0; i < 1000; i += 1) store.write(`k${i}`, NOW + (i % 2 === 0 ? WINDOW : 1), NOW);
    assert.equal(store.size(), 100);
  });

  it('security: a flood of fresh keys does not make it forget a spent one', () => {
    const store = createArrivalStore({ maxKeys: 100, window: WINDOW });
    store.write('spent', NOW + WINDOW, NOW);
    for (let i = 0; i < 10_000; i += 1) store.write(`k${i}`, NOW + 100, NOW);
    assert.equal(store.read('spent'), NOW + WINDOW);
  });

  it('forgets keys that have recovered as others are written', () => {
    const store = createArrivalStore({ maxKeys: 1000, window: WINDOW });
    for (let i = 0; i < 100; i += 1) store.write(`old${i}`, NOW + 100, NOW);
    for (let i = 0; i < 100; i += 1) store.write(`new${i}`, NOW + 1100, NOW + 1000);
    assert.equal(store.size(), 100);
    assert.equal(store.read('old99'), 0);
  });
});
