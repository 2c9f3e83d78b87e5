import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFingerprint, withPseudonyms } from '../../src/audit/privacy.ts';
import { Secret } from '../../src/secret.ts';
import { createDirectory, open, toIntent } from './support/journal.ts';

test('a fingerprint is the HMAC-SHA-256 of the value under the decoded key', () => {
  const key = randomBytes(32);
  const fingerprint = createFingerprint(new Secret(key.toString('base64')));
  assert.equal(fingerprint('token'), createHmac('sha256', key).update('token').digest('hex'));
});

test('a key shorter than 32 bytes is refused, and not named', () => {
  const short = randomBytes(31).toString('base64');
  assert.throws(
    () => createFingerprint(new Secret(short)),
    (error: Error) => error instanceof RangeError && !error.message.includes(short),
  );
});

test('pseudonymous: name, address and user agent do not reach the disk, their fingerprints do', async (t) => {
  const directory = await createDirectory(t);
  const fingerprint = createFingerprint(new Secret(randomBytes(32).toString('base64')));
  const journal = await open(t, directory);
  const append = withPseudonyms(journal.append, fingerprint);
  await append(
    toIntent({
      actor: { ...toIntent().actor, userPrincipalName: 'alice@contoso.example' },
      source: { address: '203.0.113.9', userAgent: 'CanaryBrowser' },
    }),
  );
  await append({ kind: 'refusal', source: { address: '203.0.113.9' }, status: 401, code: 'missing_token' });
  await append({ kind: 'refusal', source: { address: '*' }, status: 401, code: 'missing_token', count: 9 });
  await journal.close();
  const text = await readFile(join(directory, 'audit-000001.jsonl'), 'utf8');
  for (const personal of ['alice', '203.0.113.9', 'CanaryBrowser']) assert.ok(!text.includes(personal));
  assert.equal(text.split(fingerprint('203.0.113.9')).length, 3);
  assert.ok(text.includes(fingerprint('alice@contoso.example')));
  assert.ok(text.includes('"source":{"address":"*"}'), 'a count of many addresses says so');
  assert.ok(text.includes('"objectId":"user"'), 'who acted stays known by id');
});
