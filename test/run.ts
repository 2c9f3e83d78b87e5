// Runs every test/**/*.test.ts, each file in a process of its own that reaches nothing but loopback:
//   node --import tsx test/run.ts [--long] [part of a path …]
// FORBID_SKIPS=1 fails the run when a test was skipped. Exit status 1 on any failure.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { long: { type: 'boolean', default: false } },
});
if (values.long) process.env['TEST_LONG'] = '1';

const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => positionals.length === 0 || positionals.some((part) => join('test', file).includes(part)))
  .map((file) => join(import.meta.dirname, file))
  .toSorted();

if (files.length === 0) {
  process.stderr.write('No test file matches.\n');
  process.exit(1);
}

// Test processes are started with the options of this one.
for (const preload of ['only-loopback.ts', 'prompt-assert.ts']) {
  process.execArgv.push('--import', new URL(`support/${preload}`, import.meta.url).href);
}

/** The longest file soaks the service for an hour, after its warm-up. */
const minutes = values.long ? 90 : 10;
/**
 * Of one file (from Node 24 on: of one test). It ends what hangs, and must not end what is slow on a busy machine. A process that
 * outlives its test file keeps the runner waiting, so the runner gives up a little later.
 */
const timeout = minutes * 60_000;
// One more than there are cores: of its time a file waits a good part.
const events = run({ files, concurrency: availableParallelism() + 1, timeout });
const watchdog = setTimeout(() => {
  process.stderr.write('The tests do not end: a process that one of them started may still be running.\n');
  process.exit(1);
}, timeout + 30_000);
events.on('test:pass', () => watchdog.refresh()).on('test:fail', () => watchdog.refresh());

const skipped: string[] = [];
events.on('test:fail', () => {
  process.exitCode = 1;
});
events.on('test:pass', ({ name, skip, todo }) => {
  if (skip !== undefined || todo !== undefined) skipped.push(name);
});

const report = events.compose(new spec());
report.pipe(process.stdout);
await finished(report);
clearTimeout(watchdog);

if (process.env['FORBID_SKIPS'] === '1' && skipped.length > 0) {
  process.stderr.write(`Skipping is forbidden here, and these were skipped: ${skipped.join(', ')}\n`);
  process.exitCode = 1;
}
