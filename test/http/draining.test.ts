import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProblemError } from '../../src/errors.ts';
import { startService } from '../support/service.ts';

test('every answer of a stop ends its connection, also one whose request came before it', async (t) => {
  let whileCreating = () => {};
  const service = await startService(t, {
    replace: ({ enrollment }) => ({
      enrollment: {
        ...enrollment,
        create: async (...request) => {
          whileCreating();
          return enrollment.create(...request);
        },
      },
    }),
  });
  const headers = { ...(await service.bearer()), 'content-type': 'application/json' };
  const body = '{"tokenValidityInSeconds":60}';
  const create = async () => {
    const answer = await fetch(service.url + service.createPath(), { method: 'POST', headers, body });
    return [answer.status, answer.headers.get('connection')];
  };

  assert.deepEqual(await create(), [204, 'keep-alive']);
  whileCreating = () => service.setDraining(true);
  assert.deepEqual(await create(), [204, 'close']);

  service.setDraining(false);
  whileCreating = () => {
    service.setDraining(true);
    throw new ProblemError('graph_forbidden');
  };
  assert.deepEqual(await create(), [403, 'close']);

  assert.deepEqual(await create(), [503, 'close']);
  const told = service
    .logged()
    .split('\n')
    .filter((line) => line.includes('"shutting_down"'));
  assert.ok(told.length > 0 && told.every((line) => line.includes('"level":"info"')), told.join('\n'));
  const health = await fetch(`${service.url}/healthz`);
  assert.deepEqual([health.status, health.headers.get('connection')], [200, 'close']);
});
