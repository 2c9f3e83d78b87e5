import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { CommitEntry, RequestEntry } from '../../sandbox/graph/journal.ts';
import { verifyJournal } from '../../src/audit/verify.ts';
import { createDirectory, readRecords } from '../audit/support/journal.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createClients, KEYED_USER } from './support/clients.ts';
import { buildDyingService } from './support/dying-service.ts';
import { findContradictions, isRecovered, isUnknown, toProfile, toStories } from './support/join-sources.ts';
import { isAtStart, planKills, type Kill } from './support/kill-plan.ts';

const KILLS = process.env['TEST_LONG'] === '1' ? 208 : 13;
/** Milliseconds by which Graph answers, or acts, later than the service lives. */
const GRAPH_LATE = 400;
/** With the start and all that the service survives before, on a machine that may be busy. */
const DIES_WITHIN = 120_000;

async function readCommits(file: string): Promise<readonly CommitEntry[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  const entries = lines.map((line): CommitEntry | RequestEntry => JSON.parse(line));
  return entries.filter((entry) => entry.kind === 'commit');
}

function countBy(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

test(`${KILLS} times kill -9 of the built service under load: its journal, Graph's and the clients' agree`, async (t) => {
  const service = await buildDyingService(await createDirectory(t));
  const { auditDirectory } = service;
  const { graph } = service.sandbox;
  const clients = await createClients(service.sandbox);

  const readSources = async () => ({
    audit: await readRecords(auditDirectory),
    commits: await readCommits(service.graphJournal),
    attempts: clients.attempts,
  });

  const requireAgreement = async (): Promise<void> => {
    const { defect, open } = await verifyJournal(auditDirectory);
    assert.deepEqual({ defect, open }, { defect: undefined, open: [] });
    assert.deepEqual(findContradictions(await readSources()), []);
  };

  const isAtGraph = (acts: 'before' | 'after'): boolean => {
    const struck = graph.journal.requests.findLast(({ fault }) => fault === 'delay');
    return struck !== undefined && (acts === 'after' || struck.status === 204);
  };

  const prepareGraph = ({ point }: Kill): void => {
    graph.journal.clear();
    graph.faults.clear();
    if (point.by !== 'graph') return;
    graph.faults.add({
      operation: 'createToken',
      user: KEYED_USER.objectId,
      kind: 'delay',
      when: point.acts === 'before' ? 'after' : 'before',
      ms: GRAPH_LATE,
      skip: point.survives,
    });
  };

  /** From the start of a service, on what the dead one left, to its death. */
  const liveAndDie = async (t: TestContext, kill: Kill): Promise<void> => {
    const { point } = kill;
    prepareGraph(kill);
    const { child, origin, ended, stderr } = service.start(t, kill);

    const live = async (): Promise<void> => {
      if (point.by === 'service' && isAtStart(point.at)) return;
      const url = await origin('public');
      await requireAgreement();
      const load = clients.load(url);
      if (point.by === 'clock') await wait(point.afterMs);
      if (point.by === 'graph') await waitUntil(() => isAtGraph(point.acts), DIES_WITHIN);
      if (point.by !== 'service') child.kill('SIGKILL');
      await load;
    };
    await Promise.all([live(), waitUntil(() => child.signalCode ?? undefined, DIES_WITHIN)]);
    assert.equal(await ended, 'SIGKILL', stderr());
    assert.equal(stderr(), point.by === 'service' ? `died: ${point.at}\n` : '');
  };

  for (const [step, kill] of planKills(KILLS).entries()) {
    const whose = kill.withMachine ? ', and of the machine' : '';
    await t.test(`death ${step + 1}: ${kill.name}${whose}`, (t) => liveAndDie(t, kill));
  }

  const last = service.start(t);
  const url = await last.origin('public');
  await requireAgreement();

  await t.test('every key, asked once more, gives the first outcome again', async () => {
    const { audit, commits } = await readSources();
    const done = new Set(commits.map(({ id }) => id));
    const unknown = new Set(toStories(audit).filter(isUnknown).map(toProfile));
    await clients.askAgain(url, ({ key, profile }, { status, code }) => {
      const isLost = unknown.has(profile) && !done.has(profile);
      assert.deepEqual([status, code], isLost ? [502, 'outcome_unknown'] : [204, undefined], key);
    });
  });

  await requireAgreement();
  const { audit, commits, attempts } = await readSources();
  const stories = toStories(audit);
  const committed = new Set(commits.map(({ clientRequestId }) => clientRequestId));
  const recovered = stories.filter(isRecovered);
  const actedOn = recovered.filter(({ intent }) => committed.has(intent.clientRequestId));

  await t.test('what was killed behind Graph is settled, as far as it had a key', () => {
    const keyed = actedOn.filter(({ intent }) => intent.idempotencyKeyHash !== undefined);
    assert.notEqual(keyed.length, 0);
    assert.deepEqual(
      keyed.filter(({ settled }) => settled.length !== 1),
      [],
    );
  });

  await t.test('the deaths left every trace that they were to leave', async () => {
    const answers = attempts.map(({ answer }) => answer());
    const names = await readdir(auditDirectory);
    const traces = {
      requestsWithoutAnswer: answers.filter((answer) => answer?.status === undefined).length,
      tornAnswers: answers.filter((answer) => answer?.status === 204 && !answer.whole).length,
      tornTails: names.filter((name) => name.endsWith('.torn')).length,
      recovered: recovered.length,
      recoveredAndCommitted: actedOn.length,
      settled: stories.filter(({ settled }) => settled.length > 0).length,
    };
    const seen = answers.map((answer) => `${answer?.status ?? 'none'} ${answer?.code ?? ''}`.trim());
    const totals = { requests: answers.length, commits: commits.length, records: audit.length };
    t.diagnostic(JSON.stringify({ ...traces, ...totals, answers: countBy(seen) }));
    assert.deepEqual(
      Object.entries(traces).filter(([, count]) => count === 0),
      [],
    );
  });

  last.child.kill('SIGTERM');
  assert.equal(await last.ended, 0);
  const command = [join(service.directory, 'dist/audit-cli.js'), 'verify', auditDirectory];
  assert.match(execFileSync(process.execPath, command).toString(), /^intact$/m);
});
