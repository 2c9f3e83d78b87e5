import assert from 'node:assert/strict';
import { test } from 'node:test';
import supertest from 'supertest';
import { CALLING_CLIENT_ID, OPERATOR, TENANT_ID } from '../sandbox/directory.ts';
import { startService } from './support/service.ts';

for (const profile of ['forWork', 'deviceOwner'] as const) {
  test(`createToken on ${profile}: 204, one commit at Graph for that user, intent before outcome`, async (t) => {
    const service = await startService(t);
    const response = await supertest(service.url)
      .post(service.createPath(profile))
      .set(await service.bearer())
      .send({ tokenValidityInSeconds: 3600 });
    assert.equal(response.status, 204, response.text);
    assert.equal(response.text, '');
    assert.equal(service.graph.journal.commits.length, 1);
    assert.equal(service.graph.journal.commits[0]?.user, OPERATOR.objectId);

    const [intent, outcome] = (await service.audited()).slice(1);
    assert.equal(intent?.kind, 'intent');
    assert.equal(outcome?.kind, 'outcome');
    assert.equal(outcome?.['intent'], intent?.id);
    assert.equal(outcome?.['result'], 'success');
    const actor: unknown = intent?.['actor'];
    assert.deepEqual(Object(actor).tenantId, TENANT_ID);
    assert.deepEqual(Object(actor).objectId, OPERATOR.objectId);
    assert.deepEqual(Object(actor).clientId, CALLING_CLIENT_ID);
  });
}

test('the route answers without /beta as well', async (t) => {
  const service = await startService(t);
  await supertest(service.url)
    .post(service.createPath().replace('/beta', ''))
    .set(await service.bearer())
    .send({ tokenValidityInSeconds: 60 })
    .expect(204);
});
