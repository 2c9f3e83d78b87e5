import type { ReadyFile } from './ready-file.ts';

export type CurlLine = Readonly<{ what: string; line: string }>;

/** Paths of the files that hold the tokens. */
export type TokenFiles = Readonly<Record<'operator' | 'reader', string>>;

const SET = 'androidDeviceOwnerEnrollmentProfiles';

/** Lines to paste into a shell; the tokens stay in their files. */
export function toCurlLines(ready: Omit<ReadyFile, 'tokens'>, files: TokenFiles): readonly CurlLine[] {
  const { baseUrl, adminUrl, authorityHost, graphBaseUrl, caFile, profiles } = ready;
  const url = `${baseUrl}/beta/deviceManagement/${SET}/${profiles.deviceOwner}`;
  const bearer = (file: string): string => `-H "Authorization: Bearer $(cat '${file}')"`;
  const json = `-H 'Content-Type: application/json' -d`;
  const create = `-X POST '${url}/createToken' ${json} '{"tokenValidityInSeconds":3600}'`;
  const trusted = `curl -sS --cacert '${caFile}'`;
  return [
    { what: 'create a token (204)', line: `curl -sSi ${create} ${bearer(files.operator)}` },
    {
      what: 'the same, safe to repeat',
      line: `curl -sSi ${create} ${bearer(files.operator)} -H "Idempotency-Key: first"`,
    },
    { what: 'revoke it (204)', line: `curl -sSi -X POST '${url}/revokeToken' ${bearer(files.operator)}` },
    { what: 'a user without the scope (403)', line: `curl -sSi ${create} ${bearer(files.reader)}` },
    { what: 'metrics', line: `curl -sS '${adminUrl}/metrics'` },
    { what: 'what Graph saw', line: `${trusted} '${graphBaseUrl}/sandbox/journal'` },
    {
      what: 'let the next Graph call lose its answer, then create again',
      line: `${trusted} '${graphBaseUrl}/sandbox/faults' -d '{"operation":"createToken","kind":"reset","when":"after"}'`,
    },
    {
      what: 'let Entra sign with a new key',
      line: `${trusted} -X POST '${authorityHost}/sandbox/keys/rotate'`,
    },
  ];
}
