// Preloaded into a service whose memory is watched: on SIGUSR2 it collects its garbage and writes one line about what is left
// to its standard error. (Node 20 takes no --expose-gc in NODE_OPTIONS.)
import { writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const STANDARD_ERROR = 2;
/** Finalizers run between collections, and let go of more. */
const COLLECTIONS = 4;

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');
if (typeof collect !== 'function') throw new Error('garbage cannot be collected');

process.on('SIGUSR2', async () => {
  for (let count = 0; count < COLLECTIONS; count += 1) {
    collect();
    await turn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const active = process.getActiveResourcesInfo().length;
  writeSync(STANDARD_ERROR, `memory ${JSON.stringify({ live: heapUsed + external, rss, active })}\n`);
});
