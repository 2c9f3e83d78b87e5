import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROBLEMS } from '../../src/errors.ts';
import { forge } from '../caller/support/forge.ts';
import { HOSTILE_TOKENS } from '../caller/support/hostile-tokens.ts';
import { CLIENT, TENANT } from '../caller/support/tenant.ts';
import { codeOf, request, type RawAnswer } from '../http/raw-http.ts';
import { readAudit, type AuditLine, type Service } from '../support/service.ts';
import { parseChallenge } from './support/challenge.ts';
import { startHostileService } from './support/hostile-service.ts';

/** Ten times what one input may cost, and here client, server and Entra are one process. */
const CPU_BOUND_MS = 50;
const BODY = '{"tokenValidityInSeconds":60}';
/** Bytes that Node accepts for all headers. */
const HEADERS_LIMIT = 32 * 1024;

/** HTTP takes the space away, and what is left is a good token (RFC 9110 section 5.5). */
const MADE_GOOD_BY_HTTP = 'a space after';

type Measured = Readonly<{ answer: RawAnswer; cpuMs: number }>;

async function send({ url, createPath }: Service, token: string, body = BODY): Promise<Measured> {
  const start = process.cpuUsage();
  const answer = await request(
    url,
    `POST ${createPath()}`,
    [`Authorization: Bearer ${token}`, 'Content-Type: application/json', `Content-Length: ${body.length}`],
    body,
  );
  const { user, system } = process.cpuUsage(start);
  return { answer, cpuMs: (user + system) / 1000 };
}

/** What node:http answers by itself, before anything of the service runs. */
function statusBelow(token: string): number | undefined {
  if (/[\0\r\n]/.test(token)) return 400;
  return token.length > HEADERS_LIMIT - 300 ? 431 : undefined;
}

function assertRefused({ status, headers, body }: RawAnswer, code: keyof typeof PROBLEMS): void {
  assert.equal(codeOf({ body }), code, body);
  assert.equal(status, PROBLEMS[code].status);
  assert.equal(headers['cache-control'], 'no-store');
  const challenge = headers['www-authenticate'];
  if (status !== 401 && code !== 'insufficient_scope') return assert.equal(challenge, undefined);
  const { error, error_description, scope, ...rest } = parseChallenge(challenge);
  assert.equal(error, status === 401 ? 'invalid_token' : 'insufficient_scope');
  assert.equal(scope, status === 401 ? undefined : `api://${CLIENT}/EnrollmentToken.Create`);
  assert.ok(error_description !== undefined && error_description !== '');
  assert.deepEqual(Object.keys(rest), ['realm', 'authorization_uri', 'client_id']);
  assert.match(
    rest['authorization_uri'] ?? '',
    new RegExp(`^https://[^/]+/${TENANT}/oauth2/v2.0/authorize$`),
  );
  assert.equal(rest['client_id'], CLIENT);
}

/** Records of one code, told by the number of refusals each stands for. */
function toCounts(records: readonly AuditLine[]): Readonly<Record<string, readonly number[]>> {
  const counts: Record<string, number[]> = {};
  for (const { code, count = 1 } of records) (counts[String(code)] ??= []).push(Number(count));
  return counts;
}

test('security: each of the hostile tokens is refused over HTTP, cheaply, and leaves the right trace', async (t) => {
  const service = await startHostileService(t);
  // A good token is known by getting as far as the body; it also fetches the keys.
  const isAlive = async () => codeOf((await send(service, forge(), '{}')).answer) === 'invalid_body';
  assert.ok(await isAlive(), 'the good token is refused');
  const refusals = new Map<string, number>();

  for (const [name, [token, code]] of Object.entries(HOSTILE_TOKENS)) {
    if (name === MADE_GOOD_BY_HTTP) continue;
    await t.test(`${code}: ${name}`, async () => {
      const below = statusBelow(token);
      let least = Infinity;
      // Several times, because collecting garbage and compiling are nobody's fault; what is dear is dear each time.
      for (let turn = 0; turn < 5 && (turn === 0 || least >= CPU_BOUND_MS); turn += 1) {
        const { answer, cpuMs } = await send(service, token);
        least = Math.min(least, cpuMs);
        if (below !== undefined) {
          assert.equal(answer.status, below);
        } else {
          refusals.set(code, (refusals.get(code) ?? 0) + 1);
          assertRefused(answer, code);
        }
      }
      assert.ok(least < CPU_BOUND_MS, `${least} ms of CPU`);
    });
  }

  assert.ok(await isAlive(), 'the service is not what it was');
  assert.equal(
    (await send(service, `${forge()} `, '{}')).answer.status,
    400,
    'the space that HTTP takes away',
  );
  await service.stop();

  const records = await readAudit(service.auditDirectory);
  assert.deepEqual([...new Set(records.map(({ kind }) => kind))].toSorted(), ['refusal', 'start', 'stop']);
  const unauthenticated = records.filter((record) => record.kind === 'refusal' && !('actor' in record));
  const expected = new Map([...refusals].map(([code, count]) => [code, count > 1 ? [1, count - 1] : [1]]));
  const withoutScope = expected.get('insufficient_scope');
  expected.delete('insufficient_scope');
  assert.deepEqual(toCounts(unauthenticated), Object.fromEntries(expected));
  for (const { source, action, status, code } of unauthenticated) {
    assert.deepEqual([source, action], [{ address: '127.0.0.1' }, 'enrollmentToken.create']);
    assert.equal(status, Object.entries(PROBLEMS).find(([name]) => name === code)?.[1].status);
  }
  // Of the good tokens, whose body was wrong, and of those without a scope the caller is known.
  const authenticated = records.filter((record) => 'actor' in record);
  assert.deepEqual(toCounts(authenticated), { invalid_body: [1, 2], insufficient_scope: withoutScope });
  assert.equal(service.graph.journal.requests.length, 0);
  assert.equal(service.entra.journal.exchanges.length, 0);

  const kept = `${JSON.stringify(records)}\n${service.logged()}`;
  for (const [name, [token]] of Object.entries(HOSTILE_TOKENS)) {
    const parts = token.split(/[.\s"]/).filter((part) => part.length >= 20);
    assert.deepEqual(
      parts.filter((part) => kept.includes(part.slice(0, 200))),
      [],
      `kept: ${name}`,
    );
  }
  assert.doesNotMatch(kept, /eyJ|Bearer [^<]/);
});
