import assert from 'node:assert/strict';
import { checkAnswer, type AskedAnswer } from './answer-contract.ts';

/** Holds an answer of a service in another process to the OpenAPI document, as watchAnswers does it where the server is at hand. */
export function assertDocumented(answer: AskedAnswer): void {
  const { method, target, status } = answer;
  assert.deepEqual([...checkAnswer(answer)], [], `${method} ${target} → ${status}`);
}
