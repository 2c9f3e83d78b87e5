import { rename, rm, writeFile } from 'node:fs/promises';
import type { PROFILE_IDS } from '../graph/profile.ts';
import { SentenceError } from './sentence-error.ts';

/** Where everything is, for programs that drive the sandbox. */
export type ReadyFile = Readonly<{
  baseUrl: string;
  adminUrl: string;
  authorityHost: string;
  graphBaseUrl: string;
  caFile: string;
  tenantId: string;
  clientId: string;
  audience: string;
  tokens: Readonly<{ operator: string; reader: string; appOnly: string }>;
  profiles: typeof PROFILE_IDS;
}>;

/** Appears whole or not at all, readable by its owner only: it holds tokens. Throws a SentenceError when it cannot. */
export async function writeReadyFile(path: string, content: ReadyFile): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw new SentenceError(`The ready file ${path} cannot be written (${readCode(error)}).`);
  }
}

/** Takes away the file of an earlier sandbox, so that nobody drives what is gone. */
export async function removeReadyFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw new SentenceError(`The ready file ${path} cannot be replaced (${readCode(error)}).`);
  }
}

const readCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
