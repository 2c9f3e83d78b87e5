/** An HTTP answer before it is sent, so that a fault can still change what becomes of it. */
export type Answer = Readonly<{
  status: number;
  headers: Readonly<Record<string, string | readonly string[]>>;
  body: Buffer;
}>;

export type AnswerHeaders = Answer['headers'];

export const toEmptyAnswer = (status: number, headers: AnswerHeaders = {}): Answer => ({
  status,
  headers,
  body: Buffer.alloc(0),
});

export const toJsonAnswer = (status: number, value: unknown, headers: AnswerHeaders = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: Buffer.from(JSON.stringify(value)),
});
