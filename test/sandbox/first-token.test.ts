import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSandbox } from '../support/sandbox.ts';
import { createFirstToken } from '../../sandbox/demo/first-token.ts';

for (const [refusals, status, sent] of [
  [0, 204, 1],
  [2, 204, 3],
  [9, 503, 3],
] as const) {
  test(`after ${refusals} refusals because of a busy disk the demo was answered ${status}`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'first-token-'));
    const { entra, graph, close } = await startSandbox();
    let requests = 0;
    const service = createServer((_request, response) => {
      requests += 1;
      response.writeHead(requests <= refusals ? 503 : 204, { 'retry-after': '0' }).end();
    }).listen(0, '127.0.0.1');
    await once(service, 'listening');
    t.after(async () => {
      service.close();
      await close();
      await rm(directory, { recursive: true });
    });
    const address = service.address();
    assert.ok(address !== null && typeof address === 'object');
    const [profile] = graph.store.list('androidDeviceOwnerEnrollmentProfiles');
    assert.ok(profile);
    const { answer, created } = await createFirstToken({
      baseUrl: `http://127.0.0.1:${address.port}`,
      entra,
      graph,
      profile,
      token: await entra.issueToken(),
      auditDirectory: directory,
    });
    assert.deepEqual([answer.status, requests, created], [status, sent, false]);
  });
}
