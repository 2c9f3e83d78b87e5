import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runAuditCommand } from '../../src/audit/command.ts';
import type { CommandWorld } from '../../src/audit/command-world.ts';
import { createFingerprint, withPseudonyms } from '../../src/audit/privacy.ts';
import { verifyJournal } from '../../src/audit/verify.ts';
import { Secret } from '../../src/secret.ts';
import { createDirectory, open, toIntent, toOutcome } from './support/journal.ts';

const KEY = randomBytes(32).toString('base64');
const toHmac = (value: string) =>
  createHmac('sha256', Buffer.from(KEY, 'base64')).update(value).digest('hex');

type Ran = Readonly<{ status: number; output: string; error: string; rows: () => Record<string, unknown>[] }>;

async function audit(args: readonly string[], world: Partial<CommandWorld> = {}): Promise<Ran> {
  let output = '';
  let error = '';
  const status = await runAuditCommand(args, {
    environment: { AUDIT_HMAC_KEY: KEY },
    now: Date.now,
    write: async (more) => void (output += more),
    writeError: (more) => void (error += more),
    closed: () => false,
    readInput: async () => '',
    inputIsTerminal: false,
    outputIsTerminal: false,
    errorIsTerminal: false,
    ...world,
  });
  const rows = () =>
    output
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { status, output, error, rows };
}

async function createJournal(t: TestContext): Promise<string> {
  const directory = await createDirectory(t);
  let time = Date.parse('2026-03-01T12:00:00Z');
  const journal = await open(t, directory, { now: () => (time += 60_000) });
  const alice = { ...toIntent().actor, objectId: 'alice-id', userPrincipalName: 'alice@contoso.example' };
  const created = await journal.append(
    toIntent({ actor: alice, source: { address: '203.0.113.7', userAgent: '=cmd|calc "x",\u001b[2J' } }),
  );
  await journal.append(toOutcome(created.id, { tokenFingerprint: toHmac('leaked-token') }));
  const revoked = await journal.append(
    toIntent({
      action: 'enrollmentToken.revoke',
      resource: { set: 'androidForWorkEnrollmentProfiles', id: 'other-profile' },
      requestId: 'request-2',
      idempotencyKeyHash: 'key',
    }),
  );
  await journal.append(toOutcome(revoked.id, { result: 'unknown', status: 502, code: 'outcome_unknown' }));
  await journal.append({ kind: 'settled', intent: revoked.id, result: 'success' });
  await journal.append({
    kind: 'refusal',
    source: { address: '::1' },
    status: 401,
    code: 'missing_token',
    count: 7,
  });
  await journal.close();
  return directory;
}

test('verify: intact is 0, open intents 3, broken 2 with file, line and seq', async (t) => {
  const directory = await createJournal(t);
  const intact = await audit(['verify', directory]);
  assert.equal(intact.status, 0);
  assert.match(intact.output, /records {2}8 in 1 files, 1 chains\n.*2026-03-01.*\nhead {5}[0-9a-f]{64}\n/);
  const journal = await open(t, directory);
  const { id } = await journal.append(toIntent());
  await journal.close();
  const left = await audit(['verify', directory]);
  assert.equal(left.status, 3);
  assert.ok(left.output.includes(id));
  const file = join(directory, 'audit-000001.jsonl');
  await writeFile(file, (await readFile(file, 'utf8')).replace('"count":7', '"count":1'));
  const broken = await audit(['verify', directory]);
  assert.equal(broken.status, 2);
  assert.match(broken.output, /broken: audit-000001\.jsonl line 7 seq 7 changed/);
});

test('verify --head prints the last hash alone, or checks it', async (t) => {
  const directory = await createJournal(t);
  const head = (await audit(['verify', directory, '--head'])).output;
  assert.match(head, /^[0-9a-f]{64}\n$/);
  assert.equal((await audit(['verify', '--head', directory])).output, head);
  assert.equal((await audit(['verify', directory, '--head', head.trim()])).status, 0);
  const other = await audit(['verify', directory, '--head', 'a'.repeat(64)]);
  assert.equal(other.status, 2);
  assert.match(other.output, /truncated/);
});

test('verify: an emptied directory is broken where a hash is expected of it; a foreign file alone is too', async (t) => {
  const directory = await createDirectory(t);
  for (const option of ['--head', '--from']) {
    const { status, output } = await audit(['verify', directory, option, 'a'.repeat(64)]);
    assert.equal(status, 2);
    assert.match(output, /broken: truncated/);
  }
  await writeFile(join(directory, 'notes.txt'), '');
  const foreign = await audit(['verify', directory]);
  assert.equal(foreign.status, 2);
  assert.match(foreign.output, /broken: notes\.txt foreign file/);
  assert.equal((await audit(['search', directory])).status, 64);
});

test('a wrong call is 64 with the usage; a directory that is absent or empty is named in one sentence', async (t) => {
  const empty = await createDirectory(t);
  for (const args of [[], ['nope'], ['verify'], ['verify', empty, empty], ['verify', empty, '--bogus']]) {
    const { status, error, output } = await audit(args);
    assert.equal(status, 64);
    assert.match(error, /Usage: npm run -s audit -- <verb>/);
    assert.equal(output, '');
  }
  for (const args of [
    ['export', empty],
    ['search', empty, '--result', 'foo'],
    ['search', empty, '--action', 'delete'],
    ['search', empty, '--since', 'x'],
    ['verify', empty, '--from', 'x'],
  ]) {
    assert.equal((await audit(args)).status, 64);
  }
  assert.match(
    (await audit(['search', empty, '--result', 'foo'])).error,
    /success, failed, unknown, refused, open/,
  );
  assert.equal((await audit(['toString'])).status, 64);
  const absent = await audit(['verify', '/there/is/none']);
  assert.deepEqual([absent.status, absent.error], [64, 'There is no directory /there/is/none.\n']);
  const without = await audit(['verify', empty]);
  assert.deepEqual([without.status, without.error], [64, `The directory ${empty} holds no audit journal.\n`]);
  assert.equal((await audit(['--help'])).status, 0);
});

test('search finds by each of its options, and joins intent, outcome and settlement', async (t) => {
  const directory = await createJournal(t);
  const find = async (...options: string[]) => {
    const { status, rows } = await audit(['search', directory, ...options]);
    assert.equal(status, 0);
    return rows().map(({ action, result }) => `${String(action)} ${String(result)}`);
  };
  const created = 'enrollmentToken.create success';
  const revoked = 'enrollmentToken.revoke success';
  assert.deepEqual(await find(), [created, revoked, ' refused']);
  assert.deepEqual(await find('--user', 'ALICE@contoso.example'), [created]);
  assert.deepEqual(await find('--user', 'alice-id'), [created]);
  assert.deepEqual(await find('--profile', 'other-profile'), [revoked]);
  assert.deepEqual(await find('--client', 'client'), [created, revoked]);
  assert.deepEqual(await find('--action', 'revoke'), [revoked]);
  assert.deepEqual(await find('--action', 'enrollmentToken.create'), [created]);
  assert.deepEqual(await find('--result', 'refused'), [' refused']);
  assert.deepEqual(await find('--request-id', 'request-2'), [revoked]);
  assert.deepEqual(await find('--request-id', 'graph'), [created, revoked]);
  assert.deepEqual(await find('--fingerprint', toHmac('leaked-token')), [created]);
  assert.deepEqual(await find('--since', '2026-03-01T12:04:00Z'), [revoked, ' refused']);
  assert.deepEqual(await find('--until', '2026-03-01T12:04:00Z'), [created]);
  assert.deepEqual(await find('--since', '1h'), []);
  assert.deepEqual(await find('--user', 'nobody'), []);
});

test('a table on a terminal cannot steer it; CSV cannot carry a formula', async (t) => {
  const directory = await createJournal(t);
  const { output: table } = await audit(['search', directory], { outputIsTerminal: true });
  assert.match(table, /^time +action +result/);
  assert.ok(table.includes('alice@contoso.example'));
  assert.ok(!table.includes('\u001b'));
  const { output: csv } = await audit(['search', directory, '--csv']);
  assert.equal(csv.replaceAll('\r\n', '').search(/[\r\n]/), -1, 'each line ends as RFC 4180 says');
  const [header = '', first = ''] = csv.split('\r\n');
  assert.equal(header.split(',')[0], 'time');
  assert.ok(first.includes(`"'=cmd|calc ""x"",`), first);
});

test('hash prints the fingerprint, of an argument or of standard input without its line feed', async () => {
  assert.equal((await audit(['hash', 'leaked-token'])).output, `${toHmac('leaked-token')}\n`);
  const piped = await audit(['hash'], { readInput: async () => 'leaked-token\n' });
  assert.equal(piped.output, `${toHmac('leaked-token')}\n`);
  const keyless = await audit(['hash', 'x'], { environment: {} });
  assert.equal(keyless.status, 64);
  assert.match(keyless.error, /AUDIT_HMAC_KEY/);
});

test('hash reads the key from the file that the environment names', async (t) => {
  const file = join(await createDirectory(t), 'key');
  await writeFile(file, `${KEY}\n`);
  const { output } = await audit(['hash', 'x'], { environment: { AUDIT_HMAC_KEY_FILE: file } });
  assert.equal(output, `${toHmac('x')}\n`);
});

test('search --user finds a user of a journal with pseudonyms, with its key', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  const append = withPseudonyms(journal.append, createFingerprint(new Secret(KEY)));
  await append(toIntent({ actor: { ...toIntent().actor, userPrincipalName: 'Alice@Contoso.example' } }));
  await journal.close();
  for (const written of ['Alice@Contoso.example', 'alice@contoso.example', 'ALICE@CONTOSO.EXAMPLE']) {
    assert.equal((await audit(['search', directory, '--user', written])).rows().length, 1, written);
  }
  const keyless = await audit(['search', directory, '--user', 'alice@contoso.example'], { environment: {} });
  assert.equal(keyless.rows().length, 0);
});

test('export --format ocsf: class 6003 with what the schema requires', async (t) => {
  const { status, rows } = await audit(['export', await createJournal(t), '--format', 'ocsf']);
  assert.equal(status, 0);
  assert.equal(rows().length, 3);
  for (const event of rows()) {
    assert.equal(event['class_uid'], 6003);
    assert.equal(event['category_uid'], 6);
    assert.equal(event['type_uid'], 600_300 + Number(event['activity_id']));
    for (const required of ['actor', 'api', 'metadata', 'severity_id', 'src_endpoint', 'time']) {
      assert.ok(event[required] !== undefined, required);
    }
  }
  assert.deepEqual(
    rows().map((event) => [event['activity_name'], event['status']]),
    [
      ['Create', 'Success'],
      ['Delete', 'Success'],
      ['Other', 'Failure'],
    ],
  );
});

test('export --format ocsf: an address is one, and nobody is made up where nobody is known', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  const append = withPseudonyms(journal.append, createFingerprint(new Secret(KEY)));
  const refusal = { kind: 'refusal', status: 401, code: 'missing_token' } as const;
  await journal.append({ ...refusal, source: { address: '2001:db8::1' } });
  await journal.append({ ...refusal, source: { address: '*' }, count: 9 });
  await append({ ...refusal, source: { address: '203.0.113.7' } });
  await append({ ...refusal, actor: toIntent().actor, source: { address: 'unknown' } });
  await journal.close();
  const events = (await audit(['export', directory, '--format', 'ocsf'])).rows();
  assert.deepEqual(
    events.map((event) => event['src_endpoint']),
    [{ ip: '2001:db8::1' }, { name: '*' }, { name: toHmac('203.0.113.7') }, { name: 'unknown' }],
  );
  const nobody = { app_name: 'unauthenticated' };
  const somebody = { app_uid: 'client', user: { uid: 'user', type_id: 1, org: { uid: 'tenant' } } };
  assert.deepEqual(
    events.map(({ actor }) => actor),
    [nobody, nobody, nobody, somebody],
  );
});

test('export --format ecs: one event a line with the fields of the schema', async (t) => {
  const { rows } = await audit(['export', await createJournal(t), '--format', 'ecs']);
  const [created, , refused] = rows();
  assert.match(String(created?.['@timestamp']), /^2026-03-01T12:0\d:00\.000Z$/);
  assert.deepEqual(created?.['user'], { id: 'alice-id', name: 'alice@contoso.example' });
  assert.deepEqual(refused?.['source'], { address: '::1', ip: '::1' });
  assert.deepEqual(refused['http'], { response: { status_code: 401 } });
});

test('a bar is drawn when it takes long and standard error is a terminal, and nowhere else', async (t) => {
  const directory = await createJournal(t);
  let time = 0;
  const now = () => (time += 2000);
  const shown = await audit(['verify', directory], { now, errorIsTerminal: true });
  assert.match(shown.error, /\[#+\.*\] \d+ %/);
  assert.equal((await audit(['verify', directory], { now })).error, '');
});

test('the command itself: status, standard input, and a reader that goes away', async (t) => {
  const directory = await createDirectory(t);
  const journal = await open(t, directory);
  await Promise.all(Array.from({ length: 3000 }, () => journal.append(toIntent())));
  await journal.close();
  const run = (...args: string[]) =>
    spawn(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, '../../src/audit-cli.ts'), ...args],
      { env: { ...process.env, AUDIT_HMAC_KEY: KEY } },
    );

  const verify = run('verify', directory);
  verify.stdout.resume();
  const [verifyStatus] = await once(verify, 'exit');
  assert.equal(verifyStatus, 3);

  const hash = run('hash');
  hash.stdin.end('leaked-token\n');
  assert.equal(await text(hash.stdout), `${toHmac('leaked-token')}\n`);

  const search = run('search', directory);
  const exited = once(search, 'exit');
  const complaint = text(search.stderr);
  await once(search.stdout, 'data');
  search.stdout.destroy();
  assert.deepEqual(await exited, [0, null]);
  assert.equal((await complaint).replace(/^npm warn.*\n/gm, ''), '');
});

/** This package with the command as `dist/` would hold it, compiled as it is loaded. */
async function createPackage(t: TestContext): Promise<string> {
  const root = join(import.meta.dirname, '../..');
  const directory = await createDirectory(t);
  await cp(join(root, 'bin'), join(directory, 'bin'), { recursive: true });
  for (const name of ['node_modules', 'package.json', 'package-lock.json', '.npmrc']) {
    await symlink(join(root, name), join(directory, name));
  }
  await mkdir(join(directory, 'dist'));
  await writeFile(join(directory, 'dist/main.js'), '');
  const command = pathToFileURL(join(root, 'src/audit-cli.ts')).href;
  await writeFile(
    join(directory, 'dist/audit-cli.js'),
    `import { register } from 'tsx/esm/api';\nregister();\nawait import(${JSON.stringify(command)});\n`,
  );
  return directory;
}

test("npm run -s audit: nothing of npm's on standard output, and DIR is found from where the caller stands", async (t) => {
  const directory = await createPackage(t);
  const within = join(directory, 'within');
  await mkdir(within);
  await cp(await createJournal(t), join(within, 'journal'), { recursive: true, filter: isNoLock });
  const run = async (...args: string[]) => {
    const npm = spawn('npm', args, {
      cwd: within,
      env: { ...process.env, npm_config_update_notifier: 'false' },
    });
    const [output, [status]] = await Promise.all([text(npm.stdout), once(npm, 'exit')]);
    return { output, status };
  };
  const { head } = await verifyJournal(join(within, 'journal'));
  const verified = await run('run', '-s', 'audit', '--', 'verify', 'journal', '--head');
  assert.deepEqual(verified, { output: `${head}\n`, status: 0 });
  const found = await run('run', '-s', 'audit', '--', 'search', 'journal', '--user', 'alice-id');
  assert.equal(JSON.parse(found.output).user, 'alice@contoso.example');
});

const isNoLock = (path: string): boolean => !path.includes('.lock-');
