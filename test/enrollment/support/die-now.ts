import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Service } from '../../support/service.ts';

/** The journal as a process leaves it that dies now: a copy without the lock. */
export async function dieNow(t: TestContext, { auditDirectory }: Service): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'died-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await cp(auditDirectory, directory, { recursive: true, filter: (path) => !path.includes('lock') });
  return directory;
}
