// Whatever the credential, and with every way to a token in use: no secret gets anywhere but into the answer that is for it.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import type { Entra } from '../../sandbox/entra.ts';
import { startSandbox } from '../support/sandbox.ts';
import { startService } from '../support/service.ts';
import { collectErrors, createActor, readCode } from './support/fault-case.ts';

const CANARY = 'CANARY5c0de1';
const PREFER = { prefer: 'return=representation' };
const HMAC_KEY = Buffer.from(`${CANARY}-and-so-much-more-of-it-that-it-is-enough`);

const CREDENTIALS: readonly (readonly [
  variable: string,
  issue: (entra: Entra) => Promise<string> | string,
])[] = [
  ['AZURE_CLIENT_SECRET_FILE', ({ client }) => client.addSecret()],
  ['AZURE_CLIENT_CERTIFICATE_PATH', ({ client }) => client.addCertificate()],
  ['AZURE_FEDERATED_TOKEN_FILE', ({ client }) => client.issueFederatedToken({ canary: CANARY })],
];

/** The parts of a secret that would show, were it printed whole or by the line. */
const toLines = (secret: string): readonly string[] =>
  secret.split('\n').filter((line) => line.length >= 20 && !line.startsWith('-----'));

async function newFile(t: TestContext, content: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'credential-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'credential');
  await writeFile(path, content);
  return path;
}

for (const [variable, issue] of CREDENTIALS) {
  test(`${variable}: creations, replays, reads and failures leave no secret behind`, async (t) => {
    const sandbox = await startSandbox({
      entra: { canary: CANARY },
      graph: { canary: CANARY, quota: 'off' },
    });
    t.after(sandbox.close);
    const credential = await issue(sandbox.entra);
    const path = await newFile(t, credential);
    const { shown, replace } = collectErrors();
    const service = await startService(t, {
      sandbox,
      environment: {
        AZURE_CLIENT_SECRET: '',
        [variable]: path,
        AUDIT_HMAC_KEY: HMAC_KEY.toString('base64'),
        AUDIT_FINGERPRINT: 'true',
        REQUEST_DEADLINE_MS: '9000',
      },
      replace,
    });
    const actor = await createActor(service, TENANT_ID);
    const key = { 'idempotency-key': `${CANARY}-key` };
    const open: string[] = [];
    const keep = async (answer: Promise<Readonly<{ headers: Headers; text: string }>>) => {
      const { headers, text } = await answer;
      open.push(JSON.stringify([...headers]) + text);
    };

    // Two answers that a token is for, and nothing else is.
    for (const headers of [PREFER, { ...PREFER, ...key }, { ...PREFER, ...key }]) {
      const answer = await actor.send(headers);
      assert.equal(answer.status, 200, answer.text);
      assert.ok(answer.text.includes(CANARY), 'the sandbox puts the canary into its tokens');
      assert.ok(!JSON.stringify([...answer.headers]).includes(CANARY));
    }
    const profile = actor.path.replace('/createToken', '');
    const scope = 'EnrollmentToken.Create EnrollmentToken.Read';
    const token = await sandbox.entra.issueToken({ user: actor.user, tenantId: TENANT_ID, scope });
    const get = async (route: string, accept = 'application/json') => {
      const headers = { authorization: `Bearer ${token}`, accept };
      const response = await fetch(service.url + route, { headers });
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
    assert.ok((await get(`${profile}/enrollmentToken`)).text.includes(CANARY));
    assert.equal((await get(`${profile}/qrCodeImage`)).status, 200);
    assert.equal((await get(`${profile}/qrCodeImage`, 'image/png')).status, 200);
    await keep(get(profile));
    await keep(get(profile.slice(0, profile.lastIndexOf('/'))));

    // Everything that fails behind a token that was read, or instead of it.
    actor.faults([{ operation: 'get', kind: 'answer', status: 500, body: 'intune', times: 2 }]);
    await keep(actor.send(PREFER));
    actor.faults([{ operation: 'get', kind: 'cut', times: 4 }]);
    await keep(get(`${profile}/enrollmentToken`));
    actor.faults([{ kind: 'reset', when: 'after' }]);
    await keep(actor.send());
    actor.faults([{ kind: 'answer', status: 400, body: 'intune-nested' }]);
    await keep(actor.send());
    sandbox.graph.access.challenge(actor.user.objectId, { access_token: { nbf: { value: CANARY } } });
    assert.equal(readCode(await actor.send()), 'claims_challenge');
    sandbox.graph.access.challenge(actor.user.objectId, undefined);

    // A credential that Entra refuses, and one that is no credential.
    const stranger = await createActor(service, TENANT_ID);
    const message = `${CANARY} ${stranger.token} ${credential}`;
    sandbox.entra.refuse(stranger.user.objectId, { error: 'invalid_client', codes: [7000215], message });
    await keep(stranger.send());
    await writeFile(path, `${CANARY}\n-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----\n`);
    await keep((await createActor(service, TENANT_ID)).send());

    const encoded = HMAC_KEY.toString('base64');
    const secrets = [CANARY, encoded, actor.token, token, stranger.token, ...toLines(credential)];
    const everything = {
      'open answers': open.join('\n'),
      log: service.logged(),
      audit: JSON.stringify(await service.audited()),
      metrics: await service.metrics.text(),
      errors: shown.join('\n'),
    };
    for (const [where, text] of Object.entries(everything)) {
      assert.ok(text.length > 500, where);
      for (const secret of secrets) assert.ok(!text.includes(secret), `a secret is in the ${where}`);
      assert.doesNotMatch(text, /eyJ[\w-]{20,}\.[\w-]{20,}/, `a token is in the ${where}`);
      assert.doesNotMatch(text, /PRIVATE KEY/, `a key is in the ${where}`);
    }
  });
}
