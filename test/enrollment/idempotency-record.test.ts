import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LATE_ACT } from '../../src/enrollment/creation-window.ts';
import { toPastRecord } from '../../src/enrollment/idempotency-record.ts';

const MINUTE = 60_000;
const SENT_AT = Date.parse('2026-03-01T12:00:00.000Z');
const LASTS = 25_000;
const toTime = (at: number): string => new Date(at).toISOString();
const intent = {
  id: 'i',
  requestId: 'r',
  time: toTime(SENT_AT),
  parameters: { tokenValidityInSeconds: 60 },
};

const readUntil = (past: Omit<Parameters<typeof toPastRecord>[0], 'intent'>): unknown => {
  const record = toPastRecord({ intent, ...past }, LASTS);
  assert.ok(record && 'window' in record.outcome);
  return record.outcome.window?.until;
};

test('security: a record that the disk took minutes later makes no later token the one of its creation', () => {
  const late = toTime(SENT_AT + 10 * MINUTE);
  assert.equal(readUntil({ outcome: { result: 'success', time: late } }), SENT_AT + LASTS);
  assert.equal(readUntil({ settled: { time: late } }), SENT_AT + LASTS);
  assert.equal(readUntil({ outcome: { result: 'unknown', time: late } }), SENT_AT + LASTS + LATE_ACT);
});

test('a record in time ends the window', () => {
  const time = toTime(SENT_AT + 400);
  assert.equal(readUntil({ outcome: { result: 'success', time } }), SENT_AT + 400);
  assert.equal(readUntil({ outcome: { result: 'unknown', time } }), SENT_AT + 400);
});

test('security: an earlier creation that was open stays so beside a success and beside what is open itself', () => {
  for (const result of ['success', 'unknown'] as const) {
    const outcome = { result, time: toTime(SENT_AT + 400) };
    const record = toPastRecord({ intent, outcome, earlierOpenUntil: SENT_AT + MINUTE }, LASTS);
    assert.ok(record && 'window' in record.outcome);
    assert.equal(record.outcome.window?.earlierOpenUntil, SENT_AT + MINUTE);
  }
});
