import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDirectory, open, readFiles, toIntent } from './support/journal.ts';

const set = 'androidDeviceOwnerEnrollmentProfiles';
const on = (id: string, more = {}) => toIntent({ resource: { set, id }, ...more });

test('after a restart a key is found with the moment at which the next creation on its profile began', async (t) => {
  const directory = await createDirectory(t);
  let time = Date.parse('2026-03-01T12:00:00Z');
  const now = () => (time += 1000);
  // So small a file that every few records begin another one.
  const journal = await open(t, directory, { now, rotateBytes: 1500 });
  const next: Record<string, number | undefined> = {};
  for (const key of ['first', 'second', 'third']) {
    await journal.append(on('shared', { idempotencyKeyHash: key }));
    await journal.append(on('other'));
    const actor = { ...toIntent().actor, tenantId: 'another tenant' };
    await journal.append(on('shared', { actor }));
    await journal.append(on('shared', { action: 'enrollmentToken.read' }));
    await journal.append(on('shared', { action: 'enrollmentToken.revoke' }));
    next[key] = Date.parse((await journal.append(on('shared'))).time);
  }
  await journal.append(on('alone', { idempotencyKeyHash: 'alone' }));
  await journal.close();
  assert.ok((await readFiles(directory)).length > 3);

  for (const rotateBytes of [1500, 1e6]) {
    const later = await open(t, directory, { now, rotateBytes });
    for (const [key, at] of Object.entries(next)) {
      assert.equal(later.findByIdempotencyKey(key)?.nextAt, at, key);
    }
    assert.equal(later.findByIdempotencyKey('alone')?.nextAt, undefined);
    await later.close();
  }
});

test('within one file, too', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  await journal.append(on('p', { idempotencyKeyHash: 'first' }));
  const second = await journal.append(on('p', { idempotencyKeyHash: 'second' }));
  const third = await journal.append(on('p'));
  await journal.close();
  const later = await open(t, directory);
  assert.equal(later.findByIdempotencyKey('first')?.nextAt, Date.parse(second.time));
  assert.equal(later.findByIdempotencyKey('second')?.nextAt, Date.parse(third.time));
});
