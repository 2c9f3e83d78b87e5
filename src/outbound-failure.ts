import type { OutboundFailure } from './outbound-error.ts';

/** TLS and certificate failures as Node and OpenSSL name them. */
const TLS_FAILURE = /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_)/;

/** undici's words for a 100 nobody asked for and for a 101. */
const INFORMATIONAL = new Set(['bad response', 'bad upgrade']);

export const readErrorCode = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : '';

/** What an error of Node's or undici's means. `sent`: whether anything of the request may have left. */
export function toFailure(error: Error, sent: boolean): OutboundFailure {
  const code = readErrorCode(error);
  if (TLS_FAILURE.test(code)) return 'tls';
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'too_large';
  if (INFORMATIONAL.has(error.message)) return 'informational';
  if (error.name === 'HTTPParserError') return 'invalid_response';
  return sent ? 'reset' : 'unreachable';
}
