/** The answer to an operation that succeeded. */
export type Answer = Readonly<{
  status: 200 | 204;
  headers?: Readonly<Record<string, string>>;
  body?: string | Buffer;
}>;

export const NO_CONTENT: Answer = { status: 204 };

/** RFC 8259: the media type has no charset parameter. */
export const toJsonAnswer = (value: object, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 200,
  headers: { 'Content-Type': 'application/json', ...headers },
  body: JSON.stringify(value),
});
