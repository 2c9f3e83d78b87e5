const REDACTED = '[redacted]';

const SECRET_NAMES = [
  'authorization',
  'client[_-]?secret',
  'client[_-]?assertion',
  'assertion',
  'access[_-]?token',
  'refresh[_-]?token',
  'id[_-]?token',
  'federated[_-]?token',
  'token[_-]?value',
  'qr[_-]?code[_-]?(?:content|image)',
  'wifi[_-]?password',
  'password',
  'private[_-]?key',
  'hmac[_-]?key',
  'cookie',
].join('|');

/** A secret by name: `client_secret=…`, `"tokenValue":"…"`, and to the end of the text when its quotes are escaped. */
const NAMED = new RegExp(
  String.raw`((?:${SECRET_NAMES})(?:"\s*:\s*"|'?\s*[:=]\s*['"]?))(?:(?<=")(?:[^"\\]|\\.)*|[^\s&,;"'}]+)`,
  'gi',
);
const NAMED_ESCAPED = new RegExp(String.raw`((?:${SECRET_NAMES})\\+"\s*:)[\s\S]*`, 'gi');

/** A JSON Web Token, or what is left of one (RFC 7519: its header is `{"…` in base64url). */
const JSON_WEB_TOKEN = /eyJ[\w-]{8,}(?:\.[\w-]*)*/g;

/** Credentials of an Authorization header (RFC 9110 section 11.4), not the parameters of a challenge. */
const CREDENTIALS = /\b(Bearer|Basic|DPoP|PoP)\s+(?![\w-]+=")[\w.~+/=-]+/gi;

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

const USER_OF_URL = /:\/\/[^/\s?#"]*@/g;

/** What every pattern here needs. Most texts, ids above all, have none of it and are through at once. */
const IN_ALL_OF_THEM = /[\s:=]|eyJ/;

/** A text without anything in it that looks like a token, a credential or a key. */
export function redactText(text: string): string {
  if (!IN_ALL_OF_THEM.test(text)) return text;
  return text
    .replace(PRIVATE_KEY, REDACTED)
    .replace(CREDENTIALS, `$1 ${REDACTED}`)
    .replace(JSON_WEB_TOKEN, REDACTED)
    .replace(NAMED_ESCAPED, `$1${REDACTED}`)
    .replace(NAMED, `$1${REDACTED}`)
    .replace(USER_OF_URL, `://${REDACTED}@`);
}

const SECRET_KEY = new RegExp(`(?:${SECRET_NAMES})$|^(?:token|secret|x-api-key)$`, 'i');

/** Whether the member of an object is a secret by its name. */
export function isSecretKey(name: string): boolean {
  return SECRET_KEY.test(name);
}
