import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../sandbox/directory.ts';
import { createDirectory, readRecords } from '../audit/support/journal.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createClientLog } from './support/client-log.ts';
import { buildDyingService } from './support/dying-service.ts';
import type { RunningService } from './built-service.ts';

test("security: over two deaths, another request's token is never taken for the one that was lost", async (t) => {
  const service = await buildDyingService(await createDirectory(t));
  const { graph, entra } = service.sandbox;
  const log = createClientLog(graph);
  const profile = log.createProfile();
  const token = await entra.issueToken({ user: OPERATOR });
  const create = async (running: RunningService, key?: string) =>
    log.ask({
      origin: await running.origin('public'),
      token,
      operation: 'createToken',
      profile,
      ...(key !== undefined && { key }),
    });
  const kill = async (running: RunningService): Promise<void> => {
    running.child.kill('SIGKILL');
    await running.ended;
  };

  const first = service.start(t);
  graph.faults.add({ operation: 'createToken', kind: 'hang', when: 'before' });
  const lost = create(first, 'lost').catch(() => undefined);
  await waitUntil(() => graph.journal.requests.some((request) => request.fault === 'hang'));
  await kill(first);
  await lost;

  const second = service.start(t);
  assert.equal((await create(second)).status, 204);
  await kill(second);

  const third = service.start(t);
  assert.equal(
    (await create(third, 'lost')).status,
    502,
    'the only token there is that of the other request',
  );
  await kill(third);
  assert.equal(graph.journal.commits.filter(({ id }) => id === profile).length, 1);
  const records = await readRecords(service.auditDirectory);
  assert.ok(!records.some(({ kind }) => kind === 'settled'));
});
