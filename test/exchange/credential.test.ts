import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Entra } from '../../sandbox/entra.ts';
import type { CredentialSource } from '../../src/settings/credential-source.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startExchange } from './support/exchange.ts';

type FileKind = Exclude<CredentialSource['kind'], 'secret'>;

/** A new credential of the kind that Entra accepts from now on. */
const ISSUE: Readonly<Record<FileKind, (entra: Entra) => Promise<string> | string>> = {
  secretFile: ({ client }) => `${client.addSecret()}\n`,
  certificate: ({ client }) => client.addCertificate(),
  federatedToken: ({ client }) => client.issueFederatedToken(),
};

/** Entra refuses the credential that it knows longest. */
function withdrawOldest({ client }: Entra): void {
  for (const secret of client.secrets) {
    client.secrets.delete(secret);
    break;
  }
  Array.prototype.shift.call(client.certificates);
}

function newPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'credential-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'credential');
}

const replaceFile = (path: string, content: string): void => {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
};

for (const kind of ['secretFile', 'certificate', 'federatedToken'] as const) {
  test(`${kind}: accepted by Entra, and replaced under load without one failed request`, async (t) => {
    const path = newPath(t);
    const { entra, exchange, newCaller, failures } = await startExchange(t, { source: { kind, path } });
    writeFileSync(path, await ISSUE[kind](entra));
    const caller = await newCaller();

    const load = { isOver: false, exchanged: 0 };
    const workers = Array.from({ length: 8 }, async () => {
      while (!load.isOver) {
        await exchange(caller);
        load.exchanged += 1;
      }
    });
    for (let round = 0; round < 5; round += 1) {
      const target = load.exchanged + 20;
      await waitUntil(() => load.exchanged >= target);
      const next = await ISSUE[kind](entra);
      // Half of the replacements are atomic, the others are caught half written.
      if (round % 2 === 0) replaceFile(path, next);
      else {
        writeFileSync(path, '');
        await new Promise((resolve) => setTimeout(resolve, 20));
        writeFileSync(path, next);
      }
    }
    load.isOver = true;
    await Promise.all(workers);
    const kinds = new Set(entra.journal.exchanges.map(({ credential }) => credential));
    assert.equal(kinds.size, 1);
    assert.ok(failures.length <= 2, 'half written files are reported once each');
  });
}

for (const kind of ['secretFile', 'certificate'] as const) {
  test(`${kind}: refused because it was replaced meanwhile, the new one is tried at once`, async (t) => {
    const path = newPath(t);
    const { entra, exchange, newCaller } = await startExchange(t, { source: { kind, path } });
    entra.client.secrets.clear();
    writeFileSync(path, await ISSUE[kind](entra));
    const next = await ISSUE[kind](entra);
    entra.faults.add({ operation: 'token', kind: 'delay', ms: 100 });
    const exchanging = exchange(await newCaller());
    await waitUntil(() => entra.journal.counts.token === 1);
    withdrawOldest(entra);
    replaceFile(path, next);
    await exchanging;
    assert.deepEqual(
      entra.journal.exchanges.map(({ status }) => status),
      [401, 200],
    );
  });
}

test('a certificate that Entra does not know is not tried a second time', async (t) => {
  const path = newPath(t);
  const { entra, exchange, newCaller } = await startExchange(t, { source: { kind: 'certificate', path } });
  writeFileSync(path, await entra.client.addCertificate());
  withdrawOldest(entra);
  await assert.rejects(exchange(await newCaller()), { code: 'credential_rejected' });
  assert.equal(entra.journal.exchanges.length, 1);
});

test('a file that was never there: the caller learns that it is our fault, and a later file heals it', async (t) => {
  const path = newPath(t);
  const source = { kind: 'secretFile', path } as const;
  const { entra, exchange, newCaller, logged } = await startExchange(t, { source });
  await assert.rejects(exchange(await newCaller()), { code: 'credential_rejected', status: 500 });
  assert.equal(entra.journal.counts.token, 0);
  assert.match(logged(), /cannot be read/);
  writeFileSync(path, entra.clientSecret);
  await exchange(await newCaller());
});
