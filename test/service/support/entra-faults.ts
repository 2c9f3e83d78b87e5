import { generateKeyPairSync } from 'node:crypto';
import { TENANT_ID } from '../../../sandbox/directory.ts';
import type { Entra } from '../../../sandbox/entra.ts';
import { toMetadata } from '../../../sandbox/entra/metadata.ts';
import type { FaultInput } from '../../../sandbox/fault/fault.ts';
import { withoutJob } from '../../../sandbox/key-pair.ts';
import { createPair, toJwk } from '../../caller/support/tenant.ts';
import type { Decoys } from './decoys.ts';

type Strike = FaultInput extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'operation'>
    : never
  : never;
type Table = Readonly<Record<string, Strike>>;

const answer = (status: number, body: 'broken' | 'html' | 'empty' | 'array' | 'huge' | 'bomb' | 'graph') =>
  ({ kind: 'answer', status, body }) as const;
const text = (value: string) => ({ kind: 'answer', status: 200, body: { text: value } }) as const;
const json = (value: unknown) => text(JSON.stringify(value));

const PADDING = 'x'.repeat(1024 * 1024);

/** What can go wrong with either document. */
const ANYWHERE: Table = {
  garbage: text('\0\u0001{{{'),
  'JSON cut short': answer(200, 'broken'),
  HTML: answer(200, 'html'),
  'HTML with status 503': answer(503, 'html'),
  'an empty body': answer(200, 'empty'),
  'status 204': answer(204, 'empty'),
  'status 404': answer(404, 'graph'),
  'status 429': answer(429, 'graph'),
  'status 500': answer(500, 'empty'),
  'status 503': answer(503, 'graph'),
  null: json(null),
  'a list': answer(200, 'array'),
  'four megabytes of another document': answer(200, 'huge'),
  'a compressed bomb': answer(200, 'bomb'),
  'a body that nobody asked to be compressed': {
    kind: 'answer',
    when: 'after',
    headers: { 'content-encoding': 'gzip' },
  },
  'a protocol switch': { kind: 'informational', status: 101 },
  'a stall': { kind: 'hang' },
  'a drip': { kind: 'drip', everyMs: 50 },
  'a reset': { kind: 'reset' },
  'a cut in the head': { kind: 'cut', at: 'head' },
  'a cut in the body': { kind: 'cut', at: 'body' },
};

/** Each strikes once: whoever followed it would find the good document. */
const toRedirects = (location: string): Table =>
  Object.fromEntries(
    [301, 302, 303, 307, 308].map((status) => [
      `a redirect with status ${status}`,
      { ...answer(status, 'empty'), headers: { location }, times: 1 },
    ]),
  );

function toMetadataFaults({ url }: Entra, decoys: Decoys): Table {
  const altered = (changes: Readonly<Record<string, unknown>>) =>
    json({ ...toMetadata(url, TENANT_ID, '2.0'), ...changes });
  return {
    ...toRedirects(`${url}/${TENANT_ID}/v2.0/.well-known/openid-configuration`),
    'more than a megabyte': altered({ padding: PADDING }),
    'the issuer of another tenant': altered({ issuer: `${url}/5a17d0c5-0000-4000-8000-0000000000ff/v2.0` }),
    'the issuer of any tenant': altered({ issuer: `${url}/{tenantid}/v2.0` }),
    'an issuer over http': altered({ issuer: `${url.replace('https', 'http')}/${TENANT_ID}/v2.0` }),
    'no issuer': altered({ issuer: undefined }),
    'keys over http': altered({ jwks_uri: `${decoys.plain}/keys` }),
    'keys in a file': altered({ jwks_uri: 'file:///etc/passwd' }),
    'no address of keys': altered({ jwks_uri: undefined }),
    'keys where nobody listens': altered({ jwks_uri: 'https://127.0.0.1:1/keys' }),
    'keys behind a certificate that nobody trusts': altered({ jwks_uri: `${decoys.untrusted}/keys` }),
  };
}

function toKeysFaults({ url, keys }: Entra): Table {
  const { jwk, kid, privateKey } = keys.current();
  const jwks = (...members: readonly unknown[]) => json({ keys: members });
  return {
    ...toRedirects(`${url}/${TENANT_ID}/discovery/v2.0/keys`),
    'more than a megabyte': json({ keys: [jwk], padding: PADDING }),
    'an empty set': jwks(),
    'no set': json({}),
    'a set that is an object': json({ keys: { [kid]: jwk } }),
    'a set of rubbish': jwks(null, 1, 'x', [], {}, { kty: 'RSA' }),
    'more keys than anybody has': jwks(...Array.from({ length: 101 }, () => jwk)),
    'a key of 1024 bit': jwks(toJwk(createPair(kid, 1024))),
    'a key of another use': jwks({ ...jwk, use: 'enc' }),
    'a key of another algorithm': jwks({ ...jwk, alg: 'RS512' }),
    'a key of another cloud': jwks({ ...jwk, cloud_instance_name: 'partner.microsoftonline.cn' }),
    'a key with its private part': jwks({ ...jwk, ...privateKey.export({ format: 'jwk' }) }),
    'a symmetric key': jwks({ kty: 'oct', kid, k: 'c2VjcmV0' }),
    'an elliptic key': jwks({
      ...withoutJob(generateKeyPairSync('ec', { namedCurve: 'P-256' })).publicKey.export({ format: 'jwk' }),
      kid,
    }),
  };
}

/** Every way in which this document of Entra is no good, each until it is cleared. */
export function toFaults(
  operation: 'metadata' | 'keys',
  entra: Entra,
  decoys: Decoys,
): readonly (readonly [name: string, fault: FaultInput])[] {
  const own = operation === 'metadata' ? toMetadataFaults(entra, decoys) : toKeysFaults(entra);
  return Object.entries({ ...ANYWHERE, ...own }).map(([name, strike]) => [
    name,
    { times: 'always', ...strike, operation },
  ]);
}
