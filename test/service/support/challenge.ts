import assert from 'node:assert/strict';

/** One parameter of a challenge as RFC 6750 section 3 narrows it: quoted, and nothing in it that would need an escape. */
const PARAMETER = /^([a-z_]+)="([\x20\x21\x23-\x5b\x5d-\x7e]*)"(?:, |$)/;

/** The parameters of `WWW-Authenticate: Bearer …`; fails for what is not exactly one such challenge. */
export function parseChallenge(value: string | undefined): Readonly<Record<string, string>> {
  assert.ok(value !== undefined && value.startsWith('Bearer '), `no Bearer challenge: ${String(value)}`);
  const parameters: Record<string, string> = {};
  let rest = value.slice('Bearer '.length);
  while (rest !== '') {
    const [whole = '', name = '', text = ''] = PARAMETER.exec(rest) ?? [];
    assert.ok(whole !== '' && !(name in parameters), `no challenge by RFC 6750: ${value}`);
    parameters[name] = text;
    rest = rest.slice(whole.length);
  }
  return parameters;
}
