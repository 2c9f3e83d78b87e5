import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import axios, { AxiosError, AxiosHeaders } from 'axios';
import { ProblemError } from '../src/errors.ts';
import { createLogger, type LogFields, type LogLevel } from '../src/log.ts';
import { Secret } from '../src/secret.ts';

const TOKEN =
  'eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJhcGk6Ly9jYW5hcnkiLCJzY3AiOiJYIn0.c2lnbmF0dXJlLWNhbmFyeQ';
const CANARY = 'c4n4ry-Value~8Q';

function createProbe(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const logger = createLogger({ level, write: (line) => lines.push(line), now: () => 0 });
  return { logger, lines };
}

function logged(message: string, fields?: LogFields): Record<string, unknown> {
  const { logger, lines } = createProbe();
  logger.info(message, fields);
  assert.equal(lines.length, 1);
  const [line = ''] = lines;
  assert.match(line, /^[^\n]*\n$/, 'one line');
  return JSON.parse(line);
}

describe('a line', () => {
  test('holds the time, the level, the message and the fields', () => {
    assert.deepEqual(logged('created', { requestId: 'r-1', attempts: 2, retried: false }), {
      time: '1970-01-01T00:00:00.000Z',
      level: 'info',
      message: 'created',
      requestId: 'r-1',
      attempts: 2,
      retried: false,
    });
  });

  test('is written only from its level on', () => {
    const { logger, lines } = createProbe('warn');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level](level);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).level),
      ['warn', 'error'],
    );
  });

  test('keeps its head when a field has the same name', () => {
    const line = logged('the message', { message: 'another', level: 'error', time: 'never' });
    assert.deepEqual(line, { time: '1970-01-01T00:00:00.000Z', level: 'info', message: 'the message' });
  });

  test('stays one line whatever the message holds', () => {
    assert.equal(logged('a\nb\r\u0000c')['message'], 'a\nb\r\u0000c');
  });
});

describe('an error', () => {
  test('is printed with its code, its stack and its causes', () => {
    const root = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const line = logged('failed', { error: new ProblemError('graph_unavailable', 'gone', { cause: root }) });
    const error = line['error'];
    assert.ok(typeof error === 'object' && error !== null);
    const { stack, cause, ...rest } = Object(error);
    assert.deepEqual(rest, { name: 'ProblemError', message: 'gone', code: 'graph_unavailable', status: 503 });
    assert.match(stack, /log\.test\.ts/);
    assert.equal(cause.message, 'refused');
    assert.equal(cause.code, 'ECONNREFUSED');
  });

  test('in a list, in a cause, in a field of a field is printed as well', () => {
    const inner = new AggregateError([new Error('first'), new Error('second')], 'all failed');
    const text = JSON.stringify(
      logged('failed', { context: { errors: [new Error('outer', { cause: inner })] } }),
    );
    for (const message of ['outer', 'all failed', 'first', 'second'])
      assert.ok(text.includes(message), message);
  });

  test('of axios never shows its request, its headers or its answer', async () => {
    const config = {
      url: 'https://login.example/token',
      headers: new AxiosHeaders({ Authorization: `Bearer ${CANARY}`, 'x-custom': CANARY }),
      data: `client_secret=${CANARY}`,
    };
    const error = new AxiosError(
      'failed',
      'ERR_BAD_RESPONSE',
      config,
      { path: CANARY },
      {
        status: 500,
        statusText: CANARY,
        headers: { 'x-answer': CANARY },
        config,
        data: { access_token: CANARY, other: CANARY },
      },
    );
    const line = logged('failed', { error, nested: { cause: new Error('wrapped', { cause: error }) } });
    assert.ok(!JSON.stringify(line).includes(CANARY));
    const thrown: unknown = await axios
      .post('http://127.0.0.1:1/', { secretBody: CANARY }, { headers: { 'x-canary': CANARY } })
      .catch((reason: unknown) => reason);
    assert.ok(!JSON.stringify(logged('failed', { thrown })).includes(CANARY));
  });
});

describe('nothing secret gets through', () => {
  const texts: Readonly<Record<string, string>> = {
    'a JSON Web Token': `got ${TOKEN} from the caller`,
    'a cut JSON Web Token': `got ${TOKEN.slice(0, 60)}`,
    'a bearer credential': `Authorization: Bearer ${CANARY}`,
    'a basic credential': `Basic ${Buffer.from(`user:${CANARY}`).toString('base64')}`,
    'a form': `grant_type=x&client_secret=${CANARY}&assertion=${CANARY}&scope=y`,
    JSON: JSON.stringify({ tokenValue: CANARY, other: 1 }),
    'JSON with quotes in the secret': JSON.stringify({ qrCodeContent: `{"a":"${CANARY}"}` }),
    'JSON in JSON': JSON.stringify({ message: JSON.stringify({ access_token: `x"${CANARY}` }) }),
    'an assignment': `AZURE_CLIENT_SECRET=${CANARY}`,
    'an inspected object': inspect({ client_secret: CANARY, wifiPassword: CANARY }),
    'the user of a URL': `redis://default:${CANARY}@cache:6379/0`,
    'a private key': `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----`,
  };
  const leaks = [
    CANARY,
    Buffer.from(`user:${CANARY}`).toString('base64'),
    TOKEN.slice(0, 40),
    TOKEN.slice(-20),
  ];
  const holdsSecret = (line: unknown): boolean => leaks.some((leak) => JSON.stringify(line).includes(leak));

  for (const [what, text] of Object.entries(texts)) {
    test(`by its looks: ${what}`, () => {
      assert.ok(!holdsSecret(logged(text)), 'as message');
      assert.ok(!holdsSecret(logged('m', { text })), 'as field');
      assert.ok(!holdsSecret(logged('m', { [text]: 1 })), 'as name of a field');
      assert.ok(!holdsSecret(logged('m', { deep: [{ text }] })), 'deep inside');
      assert.ok(!holdsSecret(logged('m', { error: new Error(text, { cause: text }) })), 'in an error');
      assert.ok(
        !holdsSecret(logged('m', { map: new Map([['k', text]]), set: new Set([text]) })),
        'in a collection',
      );
    });
  }

  for (const name of [
    'authorization',
    'Authorization',
    'client_secret',
    'clientSecret',
    'client_assertion',
    'assertion',
    'access_token',
    'accessToken',
    'refresh_token',
    'id_token',
    'token',
    'tokenValue',
    'qrCodeContent',
    'qrCodeImage',
    'wifiPassword',
    'password',
    'cookie',
    'set-cookie',
    'proxy-authorization',
    'AUDIT_HMAC_KEY',
    'AZURE_CLIENT_SECRET',
  ]) {
    test(`by its name: ${name}`, () => {
      assert.ok(!holdsSecret(logged('m', { [name]: CANARY })));
      assert.ok(!holdsSecret(logged('m', { headers: { [name]: [CANARY] } })));
      assert.ok(!holdsSecret(logged('m', { map: new Map([[name, CANARY]]) })));
    });
  }

  test('by its type: a Secret, and bytes', () => {
    const secret = new Secret(CANARY);
    const line = logged('m', {
      value: secret,
      list: [secret],
      bytes: Buffer.from(CANARY),
      error: new Error(secret.toString()),
    });
    assert.equal(line['value'], '[redacted]');
    assert.ok(!holdsSecret(line));
    assert.ok(!holdsSecret(inspect({ secret }, { depth: 9, showHidden: true })));
  });

  test('and what is harmless stays', () => {
    const harmless = {
      challenge: 'Bearer realm="", error="invalid_token"',
      tokenId: 'uti-1',
      tokenValidityInSeconds: 60,
      url: 'https://graph.microsoft.com/beta?$select=id',
      idempotencyKeyHash: 'ab'.repeat(32),
      mail: 'contoso user@contoso.example',
    };
    const { time, level, message, ...rest } = logged('Bearer tokens are read from one header only', harmless);
    assert.deepEqual(rest, harmless);
    assert.deepEqual([time, level], ['1970-01-01T00:00:00.000Z', 'info']);
    assert.match(String(message), /are read from one header only$|^Bearer \[redacted\]/);
  });
});

describe('never throws, never grows', () => {
  test('a circle, a getter that throws, a hostile proxy, what JSON does not know', () => {
    const circle: Record<string, unknown> = { name: 'circle' };
    circle['self'] = circle;
    const error = new Error('loop');
    error.cause = error;
    const hostile = new Proxy({}, { ownKeys: () => assert.fail('hostile') });
    const line = logged('m', {
      circle,
      error,
      hostile,
      throwing: Object.defineProperty({}, 'value', { enumerable: true, get: () => assert.fail('getter') }),
      big: 10n,
      nothing: undefined,
      none: null,
      nan: Number.NaN,
      date: new Date(0),
      invalid: new Date(Number.NaN),
      call: () => undefined,
      symbol: Symbol('s'),
    });
    assert.deepEqual(line['circle'], { name: 'circle', self: '[circular]' });
    assert.equal(line['hostile'], '[unprintable]');
    assert.deepEqual(line['throwing'], { value: '[unreadable]' });
    assert.equal(line['big'], '10');
    assert.ok(!('nothing' in line));
    assert.equal(line['nan'], 'NaN');
    assert.equal(line['date'], '1970-01-01T00:00:00.000Z');
    assert.equal(line['invalid'], 'Invalid Date');
    logged('m', hostile);
  });

  test('the same object twice is no circle', () => {
    const shared = { id: 1 };
    assert.deepEqual(logged('m', { a: shared, b: shared })['b'], { id: 1 });
  });

  test('a deep, a wide and a long value are cut', () => {
    let deep: unknown = 'bottom';
    for (let level = 0; level < 10_000; level++) deep = { deep };
    const wide = Array.from({ length: 100_000 }, (_, index) => ({ [`k${index}`]: index }));
    const { logger, lines } = createProbe();
    logger.info('x'.repeat(10_000_000), { deep, wide, long: 'a '.repeat(1_000_000) });
    assert.ok((lines[0] ?? '').length < 50_000, `${lines[0]?.length} characters`);
  });

  test('the name of a prototype pollutes nothing', () => {
    const line = logged('m', JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}'));
    assert.equal(line['constructor'], 2);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });
});
