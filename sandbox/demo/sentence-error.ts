/** A failure that one sentence explains to whoever started the sandbox; its stack would help nobody. */
export class SentenceError extends Error {
  override readonly name = 'SentenceError';
}
