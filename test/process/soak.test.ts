// Memory does not grow with the number of requests. In the short form a few thousand of them tell what keeps each of them; with
// TEST_LONG=1 an hour (SOAK_MINUTES of it) tells of the slow ones.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDirectory, readFiles } from '../audit/support/journal.ts';
import { toGrowth } from './support/growth.ts';
import { createSoakCallers } from './support/soak-callers.ts';
import { loadSteadily } from './support/steady-load.ts';
import { buildWatchedService, type Holding } from './support/watched-service.ts';

const MEGABYTE = 1024 * 1024;
const MINUTE = 60_000;

const LONG = {
  perSecond: 100,
  /**
   * Longer than any entry with an end lives (5 minutes); every list of a fixed length is full by then, and most code is compiled: V8 goes
   * on with that for half an hour, which is all that still grows (snapshots of the heap tell).
   */
  warmUp: 15 * MINUTE,
  atLeast: 0,
  measured: Number(process.env['SOAK_MINUTES'] ?? 60) * MINUTE,
  rounds: 60,
  most: { live: MEGABYTE, rss: 8 * MEGABYTE },
};
/** Compiled code, and caches that begin to fill, grow for longer than it lasts. */
const SHORT = {
  perSecond: 300,
  warmUp: 5000,
  atLeast: 1200,
  measured: 8000,
  rounds: 8,
  most: { live: 3 * MEGABYTE, rss: 32 * MEGABYTE },
};
const isLong = process.env['TEST_LONG'] === '1';
const { perSecond, warmUp, atLeast, measured, rounds, most } = isLong ? LONG : SHORT;

/** Connections: of callers 16, to Graph up to 32, according to how busy the machine is. */
const MOST_MORE_OPEN = 64;
/** A connection that ends as it is used again leaves its caller without an answer. */
const MOST_WRONG = 0.05;

/** Only one person asks for more. */
const LIMITS = {
  ...Object.fromEntries(
    ['ADDRESS', 'CLIENT', 'TENANT', 'PROFILE', 'GRAPH'].map((tier) => [`RATE_LIMIT_${tier}`, '100000/60']),
  ),
  RATE_LIMIT_USER: '40/60',
};

/** An hour writes some hundred MB: of the files that are full only the last is kept. */
async function removeOldFiles(directory: string): Promise<void> {
  const files = await readFiles(directory);
  await Promise.all(files.slice(0, -2).map((file) => rm(join(directory, file))));
}

test('the extremes of what was measured say nothing about its growth', () => {
  assert.equal(toGrowth([7, 7, 7, 7, 7]), 0);
  assert.equal(toGrowth([0, 1, 2, 3, 4]), 4);
  assert.equal(toGrowth([0, 1, 2, 900, 4, 5, 6, -900, 8, 9]), 9);
});

test(`${Math.round(measured / 1000)} s of everything that callers do leave no more in memory than there was`, async (t) => {
  const { sandbox, start } = await buildWatchedService();
  const auditDirectory = await createDirectory(t);
  const { running, measure } = start(t, {
    ...LIMITS,
    AUDIT_DIR: auditDirectory,
    TRUSTED_PROXIES: '127.0.0.1',
  });
  const admin = await running.origin('admin');
  const callers = await createSoakCallers(sandbox, await running.origin('public'));
  t.after(callers.close);

  /** A part of the load, and what is held after it. */
  const run = async (load: Readonly<{ milliseconds: number; atLeast?: number }>): Promise<Holding> => {
    await loadSteadily({ ...load, perSecond, ask: callers.ask });
    await (await fetch(`${admin}/metrics`)).text();
    await removeOldFiles(auditDirectory);
    sandbox.graph.journal.clear();
    sandbox.entra.journal.clear();
    return measure();
  };

  if (isLong) await callers.flood();
  await run({ milliseconds: warmUp, atLeast });
  const held: Holding[] = [];
  while (held.length < rounds) {
    const holding = await run({ milliseconds: measured / rounds });
    held.push(holding);
    // At once: a diagnostic would come when the hour is over.
    if (isLong) process.stdout.write(`${held.length} ${JSON.stringify(holding)}\n`);
  }

  const growthOf = (name: keyof Holding): number => toGrowth(held.map((holding) => holding[name]));
  const growth = { live: growthOf('live'), rss: growthOf('rss') };
  const toText = (bytes: number): string => (bytes / MEGABYTE).toFixed(2);
  t.diagnostic(`live memory grew by ${toText(growth.live)} MB, resident by ${toText(growth.rss)} MB`);
  t.diagnostic(JSON.stringify({ counts: callers.counts(), wrong: callers.wrong() }));

  for (const [kind, { asked, busy, wrong }] of Object.entries(callers.counts())) {
    assert.ok(asked > busy + wrong, `${kind}: none of ${asked} answered as it is meant`);
    assert.ok(wrong <= 1 + asked * MOST_WRONG, `${kind}: ${wrong} of ${asked} answered otherwise`);
  }
  assert.ok(growth.live < most.live, `live memory grew by ${toText(growth.live)} MB`);
  assert.ok(growth.rss < most.rss, `resident memory grew by ${toText(growth.rss)} MB`);
  for (const name of ['active', 'files'] as const) {
    assert.ok(growthOf(name) < MOST_MORE_OPEN, `${name} grew by ${growthOf(name)}`);
  }

  running.child.kill('SIGTERM');
  assert.equal(await running.ended, 0);
});
