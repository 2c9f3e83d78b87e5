import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Secret } from '../secret.ts';
import { EXIT, UsageError } from './command-world.ts';
import type { CommandWorld } from './command-world.ts';
import { createFingerprint } from './privacy.ts';
import type { Fingerprint } from './privacy.ts';

/** `hash [VALUE]` */
export async function runHash(args: readonly string[], world: CommandWorld): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  if (positionals.length > 1) throw new UsageError('Give one value, or none to read it from standard input.');
  const fingerprint = await readFingerprint(world.environment);
  if (fingerprint === undefined) {
    throw new UsageError('Set AUDIT_HMAC_KEY or AUDIT_HMAC_KEY_FILE to the key of the service.', false);
  }
  const value = positionals[0] ?? (await readValue(world));
  if (value === '') throw new UsageError('The value is empty.');
  await world.write(`${fingerprint(value)}\n`);
  return EXIT.intact;
}

/** The fingerprint under the key that the environment names, or `undefined` if it names none. */
export async function readFingerprint(
  environment: CommandWorld['environment'],
): Promise<Fingerprint | undefined> {
  const { AUDIT_HMAC_KEY: key, AUDIT_HMAC_KEY_FILE: file } = environment;
  const value = key ?? (file === undefined ? undefined : (await readFile(file, 'utf8')).trim());
  return value === undefined || value === '' ? undefined : createFingerprint(new Secret(value));
}

/** A line feed at the end belongs to the shell, not to the token. */
async function readValue(world: CommandWorld): Promise<string> {
  if (world.inputIsTerminal) world.writeError('Paste the value, then press Enter and Ctrl-D:\n');
  return (await world.readInput()).replace(/\r?\n$/, '');
}
