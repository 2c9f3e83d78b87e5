import { ProblemError } from '../errors.ts';
import { parseStrictJson } from '../strict-json.ts';

const EXPECTED = 'Expected exactly {"tokenValidityInSeconds": <integer>}';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The one member, its value written as a plain integer: no fraction, no exponent, no leading zero. */
const INTEGER_MEMBER = /:\s*(?:0|-?[1-9]\d*)\s*\}\s*$/;

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) throw new ProblemError('invalid_body', `The body is empty. ${EXPECTED}.`);
  let value: unknown;
  try {
    const text = utf8.decode(bytes);
    if (text.startsWith('\uFEFF')) throw new SyntaxError('it begins with a byte order mark');
    value = parseStrictJson(text);
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : 'it is not UTF-8';
    throw new ProblemError('invalid_body', `The body cannot be read as JSON: ${why}. ${EXPECTED}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProblemError('invalid_body', `The body is not a JSON object. ${EXPECTED}.`);
  }
  return { ...value };
}

/**
 * The body of createToken: `{"tokenValidityInSeconds": Int32}` and nothing else, 1 to `maxSeconds`.
 * Throws ProblemError `invalid_body` or `invalid_validity`.
 */
export function parseValidityBody(bytes: Uint8Array, maxSeconds: number): number {
  const body = parseObject(bytes);
  const names = Object.keys(body);
  if (names.length !== 1 || names[0] !== 'tokenValidityInSeconds') {
    throw new ProblemError('invalid_body', `${EXPECTED}, and no other property.`);
  }
  const seconds = body['tokenValidityInSeconds'];
  const isPlainInteger =
    typeof seconds === 'number' && INTEGER_MEMBER.test(Buffer.from(bytes).toString('latin1'));
  if (!isPlainInteger || seconds < 1 || seconds > maxSeconds) {
    throw new ProblemError(
      'invalid_validity',
      `tokenValidityInSeconds must be a whole number of seconds from 1 to ${maxSeconds}, written without fraction or exponent.`,
    );
  }
  return seconds;
}
