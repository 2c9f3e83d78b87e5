import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { z } from 'zod';
import { waitUntil } from '../../support/wait-until.ts';
import { buildService, type BuiltService, type Environment, type RunningService } from '../built-service.ts';
import { compilePreload } from './compile-preload.ts';

const Told = z.object({ live: z.number(), rss: z.number(), active: z.number() });

/** What a process holds. Memory is bytes; `live`: what a full collection of the garbage leaves, heap and buffers. */
export type Holding = Readonly<z.infer<typeof Told> & { files: number }>;

export type WatchedService = Readonly<{
  running: RunningService;
  /** Best at rest: whatever is under way counts. */
  measure: () => Promise<Holding>;
}>;

const MEMORY = /^memory (.*)$/gm;
/** A machine that is busy elsewhere takes its time over a collection. */
const TOLD_WITHIN = 60_000;

/** The service as it is shipped; only what Node.js preloads knows that it is watched. */
export async function buildWatchedService(): Promise<
  Pick<BuiltService, 'directory' | 'sandbox'> &
    Readonly<{ start: (t: TestContext, environment: Environment) => WatchedService }>
> {
  const { directory, sandbox, start } = await buildService();
  const preload = compilePreload('tell-memory.ts', join(directory, 'preload'));
  return {
    directory,
    sandbox,
    start: (t, environment) => {
      const running = start(t, { ...environment, NODE_OPTIONS: preload });
      const { child, stderr } = running;
      let told = 0;
      return {
        running,
        measure: async () => {
          child.kill('SIGUSR2');
          const line = await waitUntil(() => [...stderr().matchAll(MEMORY)][told]?.[1], TOLD_WITHIN);
          told += 1;
          return { ...Told.parse(JSON.parse(line)), files: readdirSync(`/proc/${child.pid}/fd`).length };
        },
      };
    },
  };
}
