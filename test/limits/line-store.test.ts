import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLineStore } from '../../src/limits/line-store.ts';
import type { Line } from '../../src/limits/line.ts';

const WINDOW = 60_000;
const NOW = 1_000_000;

function toEnding(arrival: number): Line {
  return { arrival, since: NOW, refunded: 0, holes: [] };
}

describe('createLineStore', () => {
  it('remembers the last write of a key', () => {
    const store = createLineStore({ maxKeys: 10, window: WINDOW });
    assert.equal(store.read('a'), undefined);
    store.write('a', toEnding(NOW + 1), NOW);
    store.write('a', toEnding(NOW + 2), NOW);
    assert.equal(store.read('a')?.arrival, NOW + 2);
    assert.equal(store.size(), 1);
  });

  it('stays within its bound', () => {
    const store = createLineStore({ maxKeys: 100, window: WINDOW });
    for (let i = 0; i < 1000; i += 1) store.write(`k${i}`, toEnding(NOW + (i % 2 === 0 ? WINDOW : 1)), NOW);
    assert.equal(store.size(), 100);
  });

  it('security: a flood of fresh keys does not make it forget a spent one', () => {
    const store = createLineStore({ maxKeys: 100, window: WINDOW });
    store.write('spent', toEnding(NOW + WINDOW), NOW);
    for (let i = 0; i < 10_000; i += 1) store.write(`k${i}`, toEnding(NOW + 100), NOW);
    assert.equal(store.read('spent')?.arrival, NOW + WINDOW);
  });

  it('forgets keys that have recovered as others are written', () => {
    const store = createLineStore({ maxKeys: 1000, window: WINDOW });
    for (let i = 0; i < 100; i += 1) store.write(`old${i}`, toEnding(NOW + 100), NOW);
    for (let i = 0; i < 100; i += 1) store.write(`new${i}`, toEnding(NOW + 1100), NOW + 1000);
    assert.equal(store.size(), 100);
    assert.equal(store.read('old99'), undefined);
  });
});
