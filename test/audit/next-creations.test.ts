import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDirectory, open, readFiles, toIntent, toOutcome } from './support/journal.ts';

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

for (const rotateBytes of [1500, 1e6]) {
  test(`a start knows the creations of which nobody knows what became: files of ${rotateBytes} bytes`, async (t) => {
    const directory = await createDirectory(t);
    let time = Date.parse('2026-03-01T12:00:00Z');
    const now = () => (time += 1000);
    const journal = await open(t, directory, { now, rotateBytes });
    const unknown = { result: 'unknown', status: 502, code: 'outcome_unknown' } as const;
    const intents = [];
    for (const id of ['done', 'refused', 'open', 'settled', 'dead']) {
      intents.push(await journal.append(on(id, { idempotencyKeyHash: `key of ${id}` })));
    }
    const [done, refused, left, settled, dead] = intents;
    assert.ok(done && refused && left && settled && dead);
    await journal.append(on('revoked', { action: 'enrollmentToken.revoke' }));
    await journal.append(on('read', { action: 'enrollmentToken.read' }));
    const keyless = await journal.append(on('keyless'));
    await journal.append(toOutcome(done.id));
    await journal.append(toOutcome(refused.id, { result: 'failed', status: 403, code: 'graph_forbidden' }));
    const outcome = await journal.append(toOutcome(left.id, unknown));
    await journal.append(toOutcome(settled.id, unknown));
    await journal.append({ kind: 'settled', intent: settled.id, result: 'success' });
    const keylessOutcome = await journal.append(toOutcome(keyless.id, unknown));
    await journal.close();

    const expected = [
      {
        profile: `tenant/${set}/keyless`,
        intendedAt: Date.parse(keyless.time),
        endedAt: Date.parse(keylessOutcome.time),
      },
      { profile: `tenant/${set}/dead`, intendedAt: Date.parse(dead.time) },
      {
        profile: `tenant/${set}/open`,
        intendedAt: Date.parse(left.time),
        endedAt: Date.parse(outcome.time),
      },
    ];
    // The second start finds the records of the first, which knows no more.
    for (let start = 0; start < 2; start += 1) {
      const later = await open(t, directory, { now, rotateBytes });
      assert.deepEqual(later.undecided, expected);
      await later.close();
    }
    time += 25 * 3_600_000;
    assert.deepEqual((await open(t, directory, { now, rotateBytes })).undecided, []);
  });
}
