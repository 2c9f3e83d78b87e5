import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startService, type Service } from '../support/service.ts';
import { codeOf, parseRaw, request, sendRaw, type RawAnswer } from './raw-http.ts';

const MAX = 7_776_000;
const GOOD = '{"tokenValidityInSeconds":3600}';
const JSON_TYPE = 'Content-Type: application/json';
const withValidity = (text: string) => `{"tokenValidityInSeconds":${text}}`;

async function post(service: Service, body: string | Buffer, headers: readonly string[]): Promise<RawAnswer> {
  const { authorization } = await service.bearer();
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return request(
    service.url,
    `POST ${service.createPath()}`,
    [`Authorization: ${authorization}`, length, ...headers],
    body,
  );
}

const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');

const ACCEPTED: readonly (readonly [string, string | Buffer, number])[] = [
  ['the least', withValidity('1'), 1],
  ['the most', withValidity(String(MAX)), MAX],
  ['white space', ' \t\r\n{ "tokenValidityInSeconds" :\n60 } \n', 60],
  ['an escaped name', '{"\\u0074okenValidityInSeconds":60}', 60],
  ['4096 bytes', withValidity('60').padEnd(4096), 60],
];

const REFUSED: readonly (readonly [string, string | Buffer, string])[] = [
  ['empty', '', 'invalid_body'],
  ['white space only', ' \r\n ', 'invalid_body'],
  ['no property', '{}', 'invalid_body'],
  ['another property', '{"validity":60}', 'invalid_body'],
  ['another case', '{"TokenValidityInSeconds":60}', 'invalid_body'],
  ['one more property', '{"tokenValidityInSeconds":60,"a":1}', 'invalid_body'],
  ['a repeated property', '{"tokenValidityInSeconds":60,"tokenValidityInSeconds":61}', 'invalid_body'],
  [
    'one repeated by escape',
    '{"tokenValidityInSeconds":60,"\\u0074okenValidityInSeconds":61}',
    'invalid_body',
  ],
  ['__proto__', '{"__proto__":{"tokenValidityInSeconds":60}}', 'invalid_body'],
  ['__proto__ beside', '{"tokenValidityInSeconds":60,"__proto__":{}}', 'invalid_body'],
  ['constructor', '{"constructor":60}', 'invalid_body'],
  ['an array', '[60]', 'invalid_body'],
  ['an array of the object', `[${GOOD}]`, 'invalid_body'],
  ['a number', '60', 'invalid_body'],
  ['a string', '"60"', 'invalid_body'],
  ['null', 'null', 'invalid_body'],
  ['trailing garbage', `${GOOD}x`, 'invalid_body'],
  ['two documents', GOOD + GOOD, 'invalid_body'],
  ['a comment', `${GOOD}//`, 'invalid_body'],
  ['single quotes', "{'tokenValidityInSeconds':60}", 'invalid_body'],
  ['a byte order mark', `\uFEFF${GOOD}`, 'invalid_body'],
  ['UTF-16', utf16(GOOD), 'invalid_body'],
  ['UTF-16 without mark', Buffer.from(GOOD, 'utf16le'), 'invalid_body'],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_body'],
  ['overlong UTF-8', Buffer.from([0x7b, 0x22, 0xc1, 0xb4, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_body'],
  ['NUL', `${GOOD}\0`, 'invalid_body'],
  ['NUL in a name', '{"tokenValidityInSeconds\0":60}', 'invalid_body'],
  ['deep nesting', '['.repeat(2000) + ']'.repeat(2000), 'invalid_body'],
  ['deep nesting in the value', withValidity('['.repeat(1500) + ']'.repeat(1500)), 'invalid_body'],
  ['form', 'tokenValidityInSeconds=60', 'invalid_body'],
  ['01', withValidity('01'), 'invalid_body'],
  ['+1', withValidity('+1'), 'invalid_body'],
  ['0x10', withValidity('0x10'), 'invalid_body'],
  ['NaN', withValidity('NaN'), 'invalid_body'],
  ['a string of digits', withValidity('"3600"'), 'invalid_validity'],
  ['1e3', withValidity('1e3'), 'invalid_validity'],
  ['1.0', withValidity('1.0'), 'invalid_validity'],
  ['1.5', withValidity('1.5'), 'invalid_validity'],
  ['-0', withValidity('-0'), 'invalid_validity'],
  ['0', withValidity('0'), 'invalid_validity'],
  ['-1', withValidity('-1'), 'invalid_validity'],
  ['null as value', withValidity('null'), 'invalid_validity'],
  ['true', withValidity('true'), 'invalid_validity'],
  ['an object as value', withValidity('{}'), 'invalid_validity'],
  ['an array as value', withValidity('[60]'), 'invalid_validity'],
  ['one more than the most', withValidity(String(MAX + 1)), 'invalid_validity'],
  ['2^31', withValidity('2147483648'), 'invalid_validity'],
  ['2^53 + 1', withValidity('9007199254740993'), 'invalid_validity'],
  ['1e400', withValidity('1e400'), 'invalid_validity'],
  ['400 digits', withValidity('9'.repeat(400)), 'invalid_validity'],
];

test('bodies of createToken', async (t) => {
  const service = await startService(t);
  const { commits, requests } = service.graph.journal;

  for (const [name, body, seconds] of ACCEPTED) {
    await t.test(`accepted: ${name}`, async () => {
      const answer = await post(service, body, [JSON_TYPE]);
      assert.equal(answer.status, 204, answer.body);
      assert.equal(requests.at(-1)?.body, withValidity(String(seconds)), 'what Graph got');
    });
  }
  const done = commits.length;

  for (const [name, body, code] of REFUSED) {
    await t.test(`refused: ${name}`, async () => {
      const answer = await post(service, body, [JSON_TYPE]);
      assert.equal(answer.status, 400);
      assert.equal(codeOf(answer), code);
      assert.match(answer.body, /tokenValidityInSeconds/, 'says what was expected');
    });
  }
  assert.equal(commits.length, done, 'Graph heard of none of them');
  assert.equal((await service.audited('intent')).length, done);
});

const TYPES: readonly (readonly [string, readonly string[], number])[] = [
  ['charset=utf-8', ['Content-Type: application/json;charset=utf-8'], 204],
  ['charset="UTF-8"', ['Content-Type: Application/JSON; Charset="UTF-8"'], 204],
  ['charset = utf-8', ['Content-Type: application/json ; charset = utf-8 ; odata.metadata=none'], 204],
  ['a parameter named charsets', ['Content-Type: application/json; charsets=x'], 204],
  ['identity', [JSON_TYPE, 'Content-Encoding: identity'], 204],
  ['no content type', [], 415],
  ['text/plain', ['Content-Type: text/plain'], 415],
  ['a form', ['Content-Type: application/x-www-form-urlencoded'], 415],
  ['multipart', ['Content-Type: multipart/form-data; boundary=x'], 415],
  ['application/jsonp', ['Content-Type: application/jsonp'], 415],
  ['application/problem+json', ['Content-Type: application/problem+json'], 415],
  ['text/json', ['Content-Type: text/json'], 415],
  ['two in one', ['Content-Type: application/json, text/plain'], 415],
  ['charset=utf-16', ['Content-Type: application/json; charset=utf-16'], 415],
  ['charset=iso-8859-1', ['Content-Type: application/json; charset=iso-8859-1'], 415],
  ['charset without a value', ['Content-Type: application/json; charset'], 415],
  ['charset without a value, and more', ['Content-Type: application/json;charset ;odata.metadata=none'], 415],
  ['charset=', ['Content-Type: application/json; charset='], 415],
  ['charset="utf-8', ['Content-Type: application/json; charset="utf-8'], 415],
  ['two charsets', ['Content-Type: application/json; charset=utf-8; charset=utf-16'], 415],
  ['two lines', [JSON_TYPE, 'content-type: text/plain'], 415],
  ['two equal lines', [JSON_TYPE, JSON_TYPE], 415],
  ['gzip', [JSON_TYPE, 'Content-Encoding: gzip'], 415],
  ['an unknown coding', [JSON_TYPE, 'Content-Encoding: x'], 415],
  ['identity twice', [JSON_TYPE, 'Content-Encoding: identity, identity'], 415],
];

test('content types and codings of createToken', async (t) => {
  const service = await startService(t);
  for (const [name, headers, status] of TYPES) {
    await t.test(`${name}: ${status}`, async () => {
      const isGzip = headers.some((header) => header.endsWith('gzip'));
      const answer = await post(service, isGzip ? gzipSync(GOOD) : GOOD, headers);
      assert.equal(answer.status, status, answer.body);
      if (status === 415) assert.equal(codeOf(answer), 'unsupported_media_type');
    });
  }
});

test('a chunked body is read like any other', async (t) => {
  const service = await startService(t);
  const { authorization } = await service.bearer();
  const chunked = (body: string) =>
    request(
      service.url,
      `POST ${service.createPath()}`,
      [`Authorization: ${authorization}`, JSON_TYPE, 'Transfer-Encoding: chunked'],
      `7\r\n${body.slice(0, 7)}\r\n${(body.length - 7).toString(16)}\r\n${body.slice(7)}\r\n0\r\n\r\n`,
    );
  assert.equal((await chunked(GOOD)).status, 204);
  assert.equal((await chunked(GOOD.padEnd(4096))).status, 204);
  const large = await chunked(GOOD.padEnd(4097));
  assert.equal(large.status, 413);
  assert.equal(codeOf(large), 'body_too_large');
});

test('413 comes without waiting for a body that does not end, and the connection goes on after one that does', async (t) => {
  const service = await startService(t);
  const { authorization } = await service.bearer();
  const head = (length: number) =>
    `POST ${service.createPath()} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n${JSON_TYPE}\r\nContent-Length: ${length}\r\n`;

  const { port } = new URL(service.url);
  const socket = connect(Number(port), '127.0.0.1');
  const answered = new Promise<string>((resolve) => {
    socket.once('data', (chunk) => resolve(chunk.toString('latin1')));
  });
  socket.write(`${head(1_000_000)}\r\n${' '.repeat(5000)}`);
  assert.equal(parseRaw(await answered).status, 413);
  socket.destroy();

  const both = await sendRaw(
    service.url,
    `${head(100_000)}\r\n${' '.repeat(100_000)}`,
    `${head(GOOD.length)}Connection: close\r\n\r\n${GOOD}`,
  );
  assert.deepEqual(both.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 413', 'HTTP/1.1 204']);
});

test('a caller without a token is refused before its body is looked at', async (t) => {
  const service = await startService(t);
  const answer = await request(
    service.url,
    `POST ${service.createPath()}`,
    ['Content-Type: text/plain', 'Content-Encoding: gzip', 'Content-Length: 1000000'],
    '{',
  );
  assert.equal(answer.status, 401);
});

test('revokeToken takes no body', async (t) => {
  const service = await startService(t);
  const { authorization } = await service.bearer({ scope: 'EnrollmentToken.Revoke' });
  const path = service.createPath().replace('createToken', 'revokeToken');
  const revoke = (headers: readonly string[], body = '') =>
    request(service.url, `POST ${path}`, [`Authorization: ${authorization}`, ...headers], body);
  assert.equal((await revoke(['Content-Length: 0'])).status, 204);
  assert.equal((await revoke([])).status, 204);
  const refused = await revoke([JSON_TYPE, 'Content-Length: 2'], '{}');
  assert.equal(codeOf(refused), 'invalid_body');
});
