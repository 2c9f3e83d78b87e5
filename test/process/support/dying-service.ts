import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { buildService, type BuiltService, type RunningService } from '../built-service.ts';
import { compilePreload } from './compile-preload.ts';
import type { Kill } from './kill-plan.ts';

export type DyingService = Pick<BuiltService, 'directory' | 'sandbox'> &
  Readonly<{
    auditDirectory: string;
    /** Where the sandbox Graph keeps what it did, synced. */
    graphJournal: string;
    /**
     * Starts the service on what the one before left; with a kill of its own kind it brings that about by itself, and its journal waits for a
     * busy disk no longer than in earnest.
     */
    start: (t: TestContext, kill?: Kill) => RunningService;
  }>;

const UNLIMITED = Object.fromEntries(
  ['ADDRESS', 'USER', 'CLIENT', 'TENANT', 'PROFILE', 'GRAPH'].map((tier) => [`RATE_LIMIT_${tier}`, 'off']),
);

/** The service as it is shipped; only what Node.js preloads knows of deaths. `directory`: for the journals. */
export async function buildDyingService(directory: string): Promise<DyingService> {
  const graphJournal = join(directory, 'graph.jsonl');
  const auditDirectory = join(directory, 'audit');
  const built = await buildService({ graph: { journalFile: graphJournal } });
  const preloads = join(built.directory, 'preload');
  const dieAt = compilePreload('die-at.ts', preloads);
  const loseUnsynced = compilePreload('lose-unsynced.ts', preloads);
  return {
    directory: built.directory,
    sandbox: built.sandbox,
    auditDirectory,
    graphJournal,
    start(t, kill) {
      const point = kill?.point.by === 'service' ? kill.point : undefined;
      return built.start(t, {
        ...UNLIMITED,
        AUDIT_DIR: auditDirectory,
        ...(kill && { NODE_OPTIONS: [kill.withMachine ? loseUnsynced : '', point ? dieAt : ''].join(' ') }),
        ...(point && { DIE_AT: point.at, DIE_AFTER: String(point.survives) }),
      });
    },
  };
}
