import { constants, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { withoutJob } from '../../../sandbox/key-pair.ts';
import type { ProblemCode } from '../../../src/errors.ts';
import { ATTACKER, KEY_1, KEY_2, claimsText, forge, hmac } from './forge.ts';
import { AUTHORITY, CLIENT, FRONT_END, TENANT, V1_ISSUER, createPair, toJwk, toV1Claims } from './tenant.ts';

const OTHER_TENANT = '99999999-9999-4999-8999-999999999999';
const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';
const WEAK = createPair('weak', 1024);
const ENCRYPTION = createPair('encryption');
const OTHER_ALGORITHM = createPair('other-algorithm');
const PUBLISHED = createPair('published-private-part');
const FOREIGN = createPair('of-another-issuer');
const OTHER_CLOUD = createPair('of-another-cloud');
const NEVER_PUBLISHED = createPair('never-published');
const KEY_OPS = createPair('encrypts-only');
const CUBE = {
  kid: 'exponent-3',
  ...withoutJob(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })),
};
const ELLIPTIC = withoutJob(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const EDWARDS = generateKeyPairSync('ed25519');

/** What the tenant publishes: two good keys among those that must not be used. */
export const PUBLISHED_KEYS: readonly Record<string, unknown>[] = [
  { kty: 'oct', kid: 'symmetric', k: 'c2VjcmV0' },
  toJwk(WEAK),
  { ...toJwk(ENCRYPTION), use: 'enc' },
  { ...toJwk(OTHER_ALGORITHM), alg: 'RS512' },
  { ...toJwk(PUBLISHED), ...PUBLISHED.privateKey.export({ format: 'jwk' }) },
  { ...toJwk(FOREIGN), issuer: `${AUTHORITY}/${OTHER_TENANT}/v2.0` },
  { ...toJwk(OTHER_CLOUD), cloud_instance_name: 'entra.elsewhere' },
  { ...toJwk(KEY_OPS), key_ops: ['encrypt'] },
  toJwk(CUBE),
  { ...ELLIPTIC.publicKey.export({ format: 'jwk' }), kid: 'elliptic', use: 'sig' },
  toJwk(KEY_1),
  { ...toJwk(KEY_2), issuer: `${AUTHORITY}/{tenantid}/v2.0`, cloud_instance_name: 'entra.test' },
  // A second key of the same name must not take the place of the first.
  toJwk(ATTACKER),
];

/** Keys of the tenant that a library sees nothing wrong with. */
export const UNUSABLE_KEYS: readonly string[] = [PUBLISHED.kid, FOREIGN.kid, OTHER_CLOUD.kid, CUBE.kid];

const publicPem = KEY_1.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const seconds = Math.floor(Date.now() / 1_000);
/** The time that the tokens were made for: some of them end, or begin, half a minute later. */
export const NOW = seconds * 1_000;
const good = forge();
const [goodHeader = '', goodClaims = '', goodSignature = ''] = good.split('.');
/** Of the last letter of 256 bytes only two bits count. */
const respell = (letter = ''): string => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return letters.charAt(letters.indexOf(letter) + 1);
};
const none = () => Buffer.alloc(0);
const rsa =
  (hash: string, padding = constants.RSA_PKCS1_PADDING) =>
  (input: string): Buffer =>
    signBytes(hash, Buffer.from(input), {
      key: KEY_1.privateKey,
      padding,
      ...(padding === constants.RSA_PKCS1_PSS_PADDING && { saltLength: 32 }),
    });
const flip = (part: string, at: number): string => {
  const bytes = Buffer.from(part, 'base64url');
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString('base64url');
};
/** As many elements of a wrong type as a token has room for. */
const MANY: readonly number[] = Array.from({ length: 5_400 }, () => 1);
const header = (changes: Record<string, unknown>, code: ProblemCode = 'invalid_token') =>
  [forge({ header: changes }), code] as const;
const claims = (changes: Record<string, unknown>, code: ProblemCode = 'invalid_token') =>
  [forge({ claims: changes }), code] as const;
const v1 = (changes: Record<string, unknown>, code: ProblemCode = 'invalid_token') =>
  [forge({ claims: JSON.stringify({ ...toV1Claims(), ...changes }) }), code] as const;
const text = (body: string | Buffer) => [forge({ claims: body }), 'invalid_token'] as const;
const raw = (token: string, code: ProblemCode = 'invalid_token') => [token, code] as const;

/** Name → token, and the inner code it must be refused with. */
export const HOSTILE_TOKENS: Readonly<Record<string, readonly [token: string, code: ProblemCode]>> = {
  // Algorithms
  'alg none, unsigned': [forge({ header: { alg: 'none' }, signer: none }), 'invalid_token'],
  'alg none, signed': header({ alg: 'none' }),
  'alg None': [forge({ header: { alg: 'None' }, signer: none }), 'invalid_token'],
  'alg nOnE with a signature': header({ alg: 'nOnE' }),
  'RS256 without a signature': [forge({ signer: none }), 'invalid_token'],
  'HS256 keyed with the public key as PEM': [
    forge({ header: { alg: 'HS256' }, signer: hmac('sha256', publicPem) }),
    'invalid_token',
  ],
  'HS256 keyed with the public key as PEM without its last line break': [
    forge({ header: { alg: 'HS256' }, signer: hmac('sha256', publicPem.trim()) }),
    'invalid_token',
  ],
  'HS256 keyed with the public key as PKCS#1': [
    forge({
      header: { alg: 'HS256' },
      signer: hmac('sha256', KEY_1.publicKey.export({ type: 'pkcs1', format: 'pem' })),
    }),
    'invalid_token',
  ],
  'HS256 keyed with the public key as DER': [
    forge({
      header: { alg: 'HS256' },
      signer: hmac('sha256', KEY_1.publicKey.export({ type: 'spki', format: 'der' })),
    }),
    'invalid_token',
  ],
  'HS256 keyed with the modulus': [
    forge({ header: { alg: 'HS256' }, signer: hmac('sha256', String(toJwk(KEY_1)['n'])) }),
    'invalid_token',
  ],
  'HS256 by a symmetric key of the set': [
    forge({ header: { alg: 'HS256', kid: 'symmetric' }, signer: hmac('sha256', 'secret') }),
    'invalid_token',
  ],
  'RS256 in the header, HMAC with the public key as signature': [
    forge({ signer: hmac('sha256', publicPem) }),
    'invalid_token',
  ],
  HS384: [forge({ header: { alg: 'HS384' }, signer: hmac('sha384', publicPem) }), 'invalid_token'],
  HS512: [forge({ header: { alg: 'HS512' }, signer: hmac('sha512', publicPem) }), 'invalid_token'],
  'RS384, well signed': [forge({ header: { alg: 'RS384' }, signer: rsa('RSA-SHA384') }), 'invalid_token'],
  'RS512, well signed': [forge({ header: { alg: 'RS512' }, signer: rsa('RSA-SHA512') }), 'invalid_token'],
  'PS256, well signed': [
    forge({ header: { alg: 'PS256' }, signer: rsa('RSA-SHA256', constants.RSA_PKCS1_PSS_PADDING) }),
    'invalid_token',
  ],
  'RS256 in the header, signed with PSS': [
    forge({ signer: rsa('RSA-SHA256', constants.RSA_PKCS1_PSS_PADDING) }),
    'invalid_token',
  ],
  'RS256 in the header, signed with SHA-1': [forge({ signer: rsa('RSA-SHA1') }), 'invalid_token'],
  'RS256 in the header, signed with SHA-512': [forge({ signer: rsa('RSA-SHA512') }), 'invalid_token'],
  'ES256 by a key of the set': [
    forge({
      header: { alg: 'ES256', kid: 'elliptic' },
      signer: (input) =>
        signBytes('sha256', Buffer.from(input), { key: ELLIPTIC.privateKey, dsaEncoding: 'ieee-p1363' }),
    }),
    'invalid_token',
  ],
  EdDSA: [
    forge({
      header: { alg: 'EdDSA' },
      signer: (input) => signBytes(null, Buffer.from(input), EDWARDS.privateKey),
    }),
    'invalid_token',
  ],
  'alg in lower case': header({ alg: 'rs256' }),
  'alg with a space': header({ alg: 'RS256 ' }),
  'alg with a null byte': header({ alg: 'RS256\0' }),
  'alg as a list': header({ alg: ['RS256'] }),
  'alg as an object': header({ alg: { toString: 'RS256' } }),
  'alg as a number': header({ alg: 256 }),
  'alg null': header({ alg: null }),
  'alg empty': header({ alg: '' }),
  'alg absent': header({ alg: undefined }),
  'an encryption algorithm': header({ alg: 'RSA-OAEP', enc: 'A256GCM' }),

  // Header members
  'crit with exp': header({ crit: ['exp'], exp: seconds }),
  'crit unknown': header({ crit: ['urn:example:unknown'], 'urn:example:unknown': true }),
  'crit empty': header({ crit: [] }),
  'crit with b64': header({ crit: ['b64'], b64: false }),
  'b64 false': header({ b64: false }),
  'b64 true': header({ b64: true }),
  'jku of the attacker, signed by him': [
    forge({ header: { jku: 'https://attacker.test/keys' }, pair: ATTACKER }),
    'invalid_token',
  ],
  'jku, well signed': header({ jku: 'https://entra.test/keys' }),
  'jwk of the attacker, signed by him': [
    forge({ header: { jwk: toJwk(ATTACKER) }, pair: ATTACKER }),
    'invalid_token',
  ],
  'jwk, well signed': header({ jwk: toJwk(KEY_1) }),
  'x5u of the attacker': [
    forge({ header: { x5u: 'https://attacker.test/cert' }, pair: ATTACKER }),
    'invalid_token',
  ],
  'x5c of the attacker': [forge({ header: { x5c: ['MIIB'] }, pair: ATTACKER }), 'invalid_token'],
  'x5c, well signed': header({ x5c: ['MIIB'] }),
  zip: header({ zip: 'DEF' }),
  'cty JWT (nested)': [forge({ header: { cty: 'JWT' }, claims: good }), 'invalid_token'],
  'cty JWT over good claims': header({ cty: 'JWT' }),
  enc: header({ enc: 'A256GCM' }),
  epk: header({ epk: {} }),
  'an unknown member': header({ foo: 'bar' }),
  'claims in the header': header({ iss: V1_ISSUER }),
  '__proto__ in the header': [
    forge({ header: `{"typ":"JWT","alg":"RS256","kid":"key-1","__proto__":{"a":1}}` }),
    'invalid_token',
  ],
  'alg only by __proto__': [
    forge({ header: `{"typ":"JWT","kid":"key-1","__proto__":{"alg":"RS256"}}` }),
    'invalid_token',
  ],
  'alg given twice': [
    forge({ header: `{"typ":"JWT","alg":"none","alg":"RS256","kid":"key-1"}` }),
    'invalid_token',
  ],
  'kid given twice': [
    forge({ header: `{"typ":"JWT","alg":"RS256","kid":"key-2","kid":"key-1"}` }),
    'invalid_token',
  ],
  'alg given twice, once escaped': [
    forge({ header: `{"typ":"JWT","alg":"RS256","\\u0061lg":"RS256","kid":"key-1"}` }),
    'invalid_token',
  ],
  'typ absent': header({ typ: undefined }),
  'typ in lower case': header({ typ: 'jwt' }),
  'typ at+jwt': header({ typ: 'at+jwt' }),
  'typ pop': header({ typ: 'pop' }),
  'typ dpop+jwt': header({ typ: 'dpop+jwt' }),
  'typ JOSE': header({ typ: 'JOSE' }),
  'typ as a list': header({ typ: ['JWT'] }),
  'header not JSON': [forge({ header: 'RS256' }), 'invalid_token'],
  'header null': [forge({ header: 'null' }), 'invalid_token'],
  'header a list': [forge({ header: '[{"alg":"RS256"}]' }), 'invalid_token'],
  'header a string': [forge({ header: '"RS256"' }), 'invalid_token'],
  'header empty': [forge({ header: '{}' }), 'invalid_token'],
  'header with a byte order mark': [
    forge({ header: `\uFEFF{"typ":"JWT","alg":"RS256","kid":"key-1"}` }),
    'invalid_token',
  ],
  'header with text after it': [
    forge({ header: `{"typ":"JWT","alg":"RS256","kid":"key-1"} x` }),
    'invalid_token',
  ],

  // kid games
  'kid absent': header({ kid: undefined }),
  'kid absent, x5t there': header({ kid: undefined, x5t: 'key-1' }),
  'kid empty': header({ kid: '' }),
  'kid a number': header({ kid: 1 }),
  'kid null': header({ kid: null }),
  'kid a list': header({ kid: ['key-1'] }),
  'kid __proto__': header({ kid: '__proto__' }),
  'kid constructor': header({ kid: 'constructor' }),
  'kid toString': header({ kid: 'toString' }),
  'kid a path': header({ kid: '../../../../dev/null' }),
  'kid SQL': header({ kid: "key-1' UNION SELECT 'x" }),
  'kid with a null byte': header({ kid: 'key-1\0' }),
  'kid with a line break': header({ kid: 'key-1\r\nX-Injected: 1' }),
  'kid in upper case': header({ kid: 'KEY-1' }),
  'kid very long': header({ kid: 'k'.repeat(4_000) }),
  'kid unknown': [forge({ pair: NEVER_PUBLISHED }), 'invalid_token'],
  'kid of the other good key': header({ kid: 'key-2' }),
  'x5t a number': header({ x5t: 1 }),
  'x5t an address': header({ x5t: 'https://attacker.test/' }),
  'signed by a 1024-bit key of the set': [forge({ pair: WEAK }), 'invalid_token'],
  'signed by an encryption key of the set': [forge({ pair: ENCRYPTION }), 'invalid_token'],
  'signed by a key of the set for RS512': [forge({ pair: OTHER_ALGORITHM }), 'invalid_token'],
  'signed by a key whose private part is published': [forge({ pair: PUBLISHED }), 'invalid_token'],
  'signed by a key that may only encrypt': [forge({ pair: KEY_OPS }), 'invalid_token'],
  'signed by a key of exponent 3': [forge({ pair: CUBE }), 'invalid_token'],
  'signed by a key of another issuer': [forge({ pair: FOREIGN }), 'wrong_issuer'],
  'signed by a key of another cloud': [forge({ pair: OTHER_CLOUD }), 'invalid_token'],
  'signed by the attacker under a good kid': [forge({ pair: ATTACKER }), 'invalid_token'],
  'nonce in the header, as in tokens for Microsoft APIs': header({ nonce: 'bm9uY2U' }),

  // Signatures
  'signature of another token': raw(
    `${goodHeader}.${goodClaims}.${forge({ claims: { uti: 'x' } }).split('.')[2]}`,
  ),
  'claims of another token': raw(
    `${goodHeader}.${forge({ claims: { oid: TENANT } }).split('.')[1]}.${goodSignature}`,
  ),
  'first bit of the signature': raw(`${goodHeader}.${goodClaims}.${flip(goodSignature, 0)}`),
  'last bit of the signature': raw(`${goodHeader}.${goodClaims}.${flip(goodSignature, 255)}`),
  'signature one byte short': raw(
    `${goodHeader}.${goodClaims}.${Buffer.from(goodSignature, 'base64url').subarray(1).toString('base64url')}`,
  ),
  'signature with a zero byte before': raw(
    `${goodHeader}.${goodClaims}.${Buffer.concat([Buffer.alloc(1), Buffer.from(goodSignature, 'base64url')]).toString('base64url')}`,
  ),
  'signature with a byte after': raw(
    `${goodHeader}.${goodClaims}.${Buffer.concat([Buffer.from(goodSignature, 'base64url'), Buffer.alloc(1)]).toString('base64url')}`,
  ),
  'signature in another spelling (unused bits of its last letter)': raw(
    `${good.slice(0, -1)}${respell(good.at(-1))}`,
  ),
  'signature of zeros': raw(`${goodHeader}.${goodClaims}.${Buffer.alloc(256).toString('base64url')}`),
  'signature 1': raw(
    `${goodHeader}.${goodClaims}.${Buffer.alloc(256, 0).fill(1, 255).toString('base64url')}`,
  ),
  'signature of 0xff': raw(`${goodHeader}.${goodClaims}.${Buffer.alloc(256, 0xff).toString('base64url')}`),
  'signature of 8 KiB': raw(`${goodHeader}.${goodClaims}.${Buffer.alloc(8_192, 1).toString('base64url')}`),

  // Times
  'expired an hour ago': claims({ exp: seconds - 3_600, nbf: seconds - 7_200 }, 'token_expired'),
  'expired beyond the skew': claims({ exp: seconds - 61 }, 'token_expired'),
  'expired in 1970': claims({ exp: 1, nbf: 0 }, 'token_expired'),
  'not valid for an hour': claims({ nbf: seconds + 3_600, exp: seconds + 7_200 }, 'token_not_yet_valid'),
  'not valid for a while beyond the skew': claims({ nbf: seconds + 90 }, 'token_not_yet_valid'),
  'ends before it begins': claims({ nbf: seconds + 30, exp: seconds + 20 }),
  'exp absent': claims({ exp: undefined }),
  'exp a string': claims({ exp: String(seconds + 3_600) }),
  'exp a fraction': claims({ exp: seconds + 3_600.5 }),
  'exp null': claims({ exp: null }),
  'exp true': claims({ exp: true }),
  'exp a list': claims({ exp: [seconds + 3_600] }),
  'exp negative': claims({ exp: -1 }),
  'exp beyond every integer': text(claimsText().replace(/"exp":\d+/, '"exp":1e400')),
  'exp beyond safe integers': text(claimsText().replace(/"exp":\d+/, '"exp":9007199254740993')),
  'exp not a number': text(claimsText().replace(/"exp":\d+/, '"exp":NaN')),
  'nbf a string': claims({ nbf: '0' }),
  'nbf null': claims({ nbf: null }),
  'iat a string': claims({ iat: 'now' }),

  // Audiences
  'for Graph by its id': claims({ aud: '00000003-0000-0000-c000-000000000000' }, 'wrong_audience'),
  'for Graph by its address': claims({ aud: 'https://graph.microsoft.com' }, 'wrong_audience'),
  'for Graph with a slash': claims({ aud: 'https://graph.microsoft.com/' }, 'wrong_audience'),
  'for Graph of the US government': claims({ aud: 'https://graph.microsoft.us' }, 'wrong_audience'),
  'for Graph of the DoD': claims({ aud: 'https://dod-graph.microsoft.us' }, 'wrong_audience'),
  'for Graph in China': claims({ aud: 'https://microsoftgraph.chinacloudapi.cn' }, 'wrong_audience'),
  'for Graph as really signed: nonce in the header, signature not verifiable': [
    forge({
      header: { nonce: 'bm9uY2U' },
      claims: { aud: '00000003-0000-0000-c000-000000000000' },
      pair: ATTACKER,
    }),
    'wrong_audience',
  ],
  'for another API': claims({ aud: `api://${OTHER_TENANT}` }, 'wrong_audience'),
  'for a longer audience': claims({ aud: `api://${CLIENT}/more` }, 'wrong_audience'),
  'for a shorter audience': claims({ aud: `api://${CLIENT.slice(0, -1)}` }, 'wrong_audience'),
  'for the audience in upper case': claims({ aud: `API://${CLIENT}` }, 'wrong_audience'),
  'for spn: and the client id': claims({ aud: `spn:${CLIENT}` }, 'wrong_audience'),
  'for the audience with a space': claims({ aud: `${CLIENT} ` }, 'wrong_audience'),
  'for nobody': claims({ aud: '' }, 'wrong_audience'),
  'aud a list': claims({ aud: [CLIENT] }),
  'aud a list of several': claims({ aud: ['https://graph.microsoft.com', CLIENT] }),
  'aud an object': claims({ aud: { 0: CLIENT } }),
  'aud absent': claims({ aud: undefined }),

  // Issuers
  'iss of another tenant': claims({ iss: `${AUTHORITY}/${OTHER_TENANT}/v2.0` }, 'wrong_issuer'),
  'iss common': claims({ iss: `${AUTHORITY}/common/v2.0` }, 'wrong_issuer'),
  'iss template': claims({ iss: `${AUTHORITY}/{tenantid}/v2.0` }, 'wrong_issuer'),
  'iss with a slash': claims({ iss: `${AUTHORITY}/${TENANT}/v2.0/` }, 'wrong_issuer'),
  'iss http': claims({ iss: `http://entra.test/${TENANT}/v2.0` }, 'wrong_issuer'),
  'iss of a look-alike host': claims({ iss: `${AUTHORITY}.attacker.test/${TENANT}/v2.0` }, 'wrong_issuer'),
  'iss with user information': claims({ iss: `${AUTHORITY}@attacker.test/${TENANT}/v2.0` }, 'wrong_issuer'),
  'iss in upper case': claims({ iss: `${AUTHORITY}/${TENANT}/V2.0` }, 'wrong_issuer'),
  'iss of somebody else': claims({ iss: 'https://accounts.google.com' }, 'wrong_issuer'),
  'iss of somebody else, no tid, key unknown': [
    forge({ pair: NEVER_PUBLISHED, claims: { iss: 'https://accounts.google.com', tid: undefined } }),
    'wrong_issuer',
  ],
  'iss of somebody else, our tid, key unknown': [
    forge({ pair: NEVER_PUBLISHED, claims: { iss: 'https://accounts.google.com' } }),
    'wrong_issuer',
  ],
  'iss empty': claims({ iss: '' }, 'wrong_issuer'),
  'iss absent': claims({ iss: undefined }),
  'iss a list': claims({ iss: [`${AUTHORITY}/${TENANT}/v2.0`] }),
  'iss of v1.0 without its slash': v1({ iss: V1_ISSUER.slice(0, -1) }, 'wrong_issuer'),
  'iss of v1.0 of another tenant': v1({ iss: `https://sts.windows.net/${OTHER_TENANT}/` }, 'wrong_issuer'),
  'iss of v1.0 in China': v1({ iss: `https://sts.chinacloudapi.cn/${TENANT}/` }, 'wrong_issuer'),
  'iss of v2.0, ver 1.0': claims({ ver: '1.0' }),
  'iss of v1.0, ver 2.0': v1({ ver: '2.0' }),
  'ver absent': claims({ ver: undefined }),
  'ver unknown': claims({ ver: '3.0' }),
  'ver a number': claims({ ver: 2 }),

  // Tenants
  'tid of another tenant': claims({ tid: OTHER_TENANT }, 'tenant_not_allowed'),
  'tid and iss of another tenant': claims(
    { tid: OTHER_TENANT, iss: `${AUTHORITY}/${OTHER_TENANT}/v2.0` },
    'tenant_not_allowed',
  ),
  'tid of personal accounts': claims(
    { tid: PERSONAL_TENANT, iss: `${AUTHORITY}/${PERSONAL_TENANT}/v2.0` },
    'personal_account',
  ),
  'tid of personal accounts in upper case': claims(
    { tid: PERSONAL_TENANT.toUpperCase() },
    'personal_account',
  ),
  'tid absent': claims({ tid: undefined }, 'wrong_issuer'),
  'tid empty': claims({ tid: '' }, 'tenant_not_allowed'),
  'tid __proto__': claims({ tid: '__proto__' }, 'tenant_not_allowed'),
  'tid with a space': claims({ tid: `${TENANT} ` }, 'tenant_not_allowed'),
  'tid a list': claims({ tid: [TENANT] }),

  // Kinds of tokens, scopes, identities
  'app-only, v2.0': claims(
    {
      scp: undefined,
      roles: ['EnrollmentToken.Create'],
      idtyp: 'app',
      name: undefined,
      preferred_username: undefined,
    },
    'app_only_token',
  ),
  'app-only, v2.0, without idtyp': claims(
    { scp: undefined, roles: ['EnrollmentToken.Create'] },
    'app_only_token',
  ),
  'app-only, v1.0': v1({ scp: undefined, roles: ['EnrollmentToken.Create'], idtyp: 'app' }, 'app_only_token'),
  'app-only that claims a scope': claims({ idtyp: 'app' }, 'app_only_token'),
  'of a device': claims({ idtyp: 'device' }, 'app_only_token'),
  'id token': claims({ scp: undefined, azp: undefined, nonce: 'n-0S6_WzA2Mj' }),
  'id token without a nonce': claims({ scp: undefined, azp: undefined }),
  'id token for the scope openid alone': claims({
    scp: undefined,
    azp: undefined,
    name: undefined,
    preferred_username: undefined,
  }),
  'id token, v1.0': v1({ scp: undefined, appid: undefined, aud: FRONT_END, unique_name: 'anna@example.com' }),
  'id token for its own application': claims({ scp: undefined, azp: undefined, aud: FRONT_END }),
  'id token with roles': claims({ scp: undefined, azp: undefined, roles: ['Admin'] }),
  'scp empty': claims({ scp: '' }, 'insufficient_scope'),
  'scp of spaces': claims({ scp: '   ' }, 'insufficient_scope'),
  'scp a list (crashes the stock strategy)': claims({ scp: ['EnrollmentToken.Create'] }),
  'scp a number (crashes the stock strategy)': claims({ scp: 1 }),
  'scp an object (crashes the stock strategy)': claims({ scp: { split: 1 } }),
  'scp true': claims({ scp: true }),
  'scp null': claims({ scp: null }),
  'oid absent': claims({ oid: undefined }),
  'oid no GUID': claims({ oid: 'anna@example.com' }),
  'oid a list': claims({ oid: [TENANT] }),
  'oid with a line break': claims({ oid: `${TENANT}\n` }),
  'azp absent': claims({ azp: undefined }),
  'azp no GUID': claims({ azp: '*' }),
  'appid instead of azp in v2.0': claims({ azp: undefined, appid: TENANT }),
  'azp instead of appid in v1.0': v1({ appid: undefined, azp: TENANT }),
  'appid a number': v1({ appid: 1 }),
  'uti a number': claims({ uti: 1 }),

  // Encodings
  'claims not JSON': text('hello'),
  'claims cut short': text(claimsText().slice(0, -1)),
  'claims null': text('null'),
  'claims a list': text(`[${claimsText()}]`),
  'claims a string': text(JSON.stringify(claimsText())),
  'claims a number': text('1'),
  'claims empty': text('{}'),
  'claims with a byte order mark': text(`\uFEFF${claimsText()}`),
  'claims in UTF-16': text(Buffer.from(claimsText(), 'utf16le')),
  'claims that are no UTF-8': text(Buffer.from(claimsText({ name: '\u00ff' }), 'latin1')),
  'claims with an overlong character': text(
    Buffer.concat([
      Buffer.from(claimsText().slice(0, -1)),
      Buffer.from(',"x":"'),
      Buffer.from([0xc0, 0xaf]),
      Buffer.from('"}'),
    ]),
  ),
  'claims with text after them': text(`${claimsText()}{}`),
  'claims with a null byte after them': text(`${claimsText()}\0`),
  'claims with a trailing comma': text(claimsText().replace(/\}$/, ',}')),
  'claims with a comment': text(claimsText().replace(/^\{/, '{/**/')),
  'exp given twice': text(claimsText().replace(/^\{/, '{"exp":9999999999,')),
  'aud given twice': text(claimsText().replace(/^\{/, '{"aud":"https://graph.microsoft.com",')),
  'scp given twice, once escaped': text(
    claimsText().replace(/^\{/, '{"s\\u0063p":"EnrollmentToken.Create",'),
  ),
  'a member given twice inside another claim': text(
    claimsText().replace(/^\{/, '{"xms_st":{"sub":"a","sub":"b"},'),
  ),
  '__proto__ in the claims': text(
    claimsText().replace(/^\{/, '{"__proto__":{"scp":"EnrollmentToken.Create"},'),
  ),
  'claims nested a thousand deep': text(
    claimsText().replace(/^\{/, `{"x":${'['.repeat(1_000)}${']'.repeat(1_000)},`),
  ),
  'claims compressed': text(
    Buffer.from('eJyrVspVslIyVNJRSq0oULIyNNdRSixNAbEMDXSUijOBIgZKOkqpBSABYwDX1w0I', 'base64'),
  ),
  'padding after the signature': raw(`${good}==`),
  'padding after the claims': raw(`${goodHeader}.${goodClaims}=.${goodSignature}`),
  'plain base64': raw(good.replaceAll('-', '+').replaceAll('_', '/')),
  'a space inside': raw(`${goodHeader}. ${goodClaims}.${goodSignature}`),
  'a space after': raw(`${good} `),
  'a second token after': raw(`${good} ${good}`),
  'a line break inside': raw(`${goodHeader}.\n${goodClaims}.${goodSignature}`),
  'a null byte after': raw(`${good}\0`),
  'quotes around': raw(`"${good}"`),
  'percent encoding': raw(good.replaceAll('.', '%2E')),
  'full-width dots': raw(good.replaceAll('.', '\u3002')),
  'a comma and a parameter after': raw(`${good},error="x"`),

  // Shapes and sizes
  'one part': raw(goodHeader),
  'two parts': raw(`${goodHeader}.${goodClaims}`),
  'two parts and a dot': raw(`${goodHeader}.${goodClaims}.`),
  'four parts': raw(`${good}.${goodSignature}`),
  'five parts (encrypted)': raw(
    `${goodHeader}.${goodSignature}.${goodClaims}.${goodClaims}.${goodSignature}`,
  ),
  'a dot before': raw(`.${good}`),
  'a dot after': raw(`${good}.`),
  'no header': raw(`.${goodClaims}.${goodSignature}`),
  'no claims': raw(`${goodHeader}..${goodSignature}`),
  'dots alone': raw('..'),
  'the word Bearer twice': raw(`Bearer ${good}`),
  undefined: raw('undefined'),
  null: raw('null'),
  '[object Object]': raw('[object Object]'),
  'an opaque token': raw('EwBwA8l6BAAU7p9QDpi'),
  'JSON serialisation': raw(
    JSON.stringify({ protected: goodHeader, payload: goodClaims, signature: goodSignature }),
  ),
  'sixteen thousand dots': raw('.'.repeat(16_000)),
  'sixteen thousand letters': raw('A'.repeat(16_000)),
  'longer than all headers may be': raw(`${good}${'A'.repeat(16_384)}`),
  'a megabyte': raw('A'.repeat(1_000_000)),
  'thousands of roles that are numbers': [
    forge({ claims: { roles: MANY }, pair: ATTACKER }),
    'invalid_token',
  ],
  'thousands of numbers as scp': claims({ scp: MANY }),
  'thousands of numbers as aud': claims({ aud: MANY }),
  'thousands of numbers as the name of the user': [
    forge({ claims: { preferred_username: MANY, upn: 1 }, pair: ATTACKER }),
    'invalid_token',
  ],
  'claims of 11 KiB of brackets': text(
    claimsText().replace(/^\{/, `{"x":${'[],'.repeat(3_800).replace(/^(.*),$/, '[$1]')},"oid":1,`),
  ),
};

/**
 * The rows in which this service is stricter than `jose`, which must refuse all others: headers that nobody of Entra's
 * writes, what two parsers may read differently, types and spellings. No forgery is among them.
 */
export const STRICTER_THAN_JOSE: readonly string[] = [
  'b64 false',
  'b64 true',
  'jku, well signed',
  'jwk, well signed',
  'x5c, well signed',
  'zip',
  'cty JWT over good claims',
  'enc',
  'epk',
  'an unknown member',
  'claims in the header',
  '__proto__ in the header',
  'alg given twice',
  'kid given twice',
  'alg given twice, once escaped',
  'typ in lower case',
  'header with a byte order mark',
  'x5t a number',
  'x5t an address',
  'nonce in the header, as in tokens for Microsoft APIs',
  'signature in another spelling (unused bits of its last letter)',
  'ends before it begins',
  'exp a fraction',
  'exp beyond every integer',
  'exp beyond safe integers',
  'aud a list',
  'aud a list of several',
  'oid no GUID',
  'oid a list',
  'oid with a line break',
  'uti a number',
  'claims with a byte order mark',
  'exp given twice',
  'aud given twice',
  'scp given twice, once escaped',
  'a member given twice inside another claim',
  '__proto__ in the claims',
  'claims nested a thousand deep',
  'padding after the signature',
  'a space after',
  'claims of 11 KiB of brackets',
];
