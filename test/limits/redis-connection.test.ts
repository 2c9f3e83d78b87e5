import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { createRedisConnection, createRedisScript } from '../../src/limits/redis-connection.ts';
import { createRedisProbe } from '../../src/limits/redis-probe.ts';
import { toReason } from '../../src/limits/redis-reason.ts';
import { Secret } from '../../src/secret.ts';
import { createRedisServer, NO_REDIS, type RedisServer } from './redis-server.ts';

async function create(t: TestContext, args: readonly string[] = []): Promise<RedisServer> {
  const server = await createRedisServer({ args });
  t.after(() => server.close());
  return server;
}

function connect(t: TestContext, url: string, deadlineMs = 5000) {
  const connection = createRedisConnection({ url: new Secret(url), deadlineMs });
  t.after(() => connection.close());
  return connection;
}

describe('createRedisConnection', { skip: NO_REDIS }, () => {
  it('is ready as soon as Redis is, and gives up waiting in time when it is not there', async (t) => {
    const server = await create(t);
    const there = connect(t, server.url.reveal());
    await there.ready(5000);
    await createRedisProbe(there.run)();
    const gone = connect(t, 'redis://127.0.0.1:1', 50);
    await gone.ready(20);
    await assert.rejects(createRedisProbe(gone.run)());
  });

  it('rejects within the deadline when Redis is busy', async (t) => {
    const server = await create(t);
    const { run, ready, close } = createRedisConnection({ url: server.url });
    t.after(close);
    await ready(5000);
    await server.admin.call('CLIENT', 'PAUSE', '60000', 'ALL');
    const error: unknown = await run(createRedisScript('return 1'), [], []).catch(
      (reason: unknown) => reason,
    );
    assert.equal(toReason(error), 'timeout');
    assert.ok(error instanceof Error);
    assert.match(error.message, / 50 ms$/);
  });

  it('security: no error shows the password, right or wrong', async (t) => {
    const server = await createRedisServer({ absent: true, args: ['--requirepass', 'hunter2'] });
    t.after(() => server.close());
    server.admin.options.password = 'hunter2';
    await server.start();
    const right = connect(t, `redis://:hunter2@127.0.0.1:${server.port}`);
    await right.ready(5000);
    await createRedisProbe(right.run)();
    for (const password of ['hunter3', '']) {
      const { run, ready } = connect(t, `redis://:${password}@127.0.0.1:${server.port}`, 500);
      await ready(300);
      const error: unknown = await createRedisProbe(run)().catch((reason: unknown) => reason);
      assert.ok(error instanceof Error);
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }) + toReason(error), /hunter/);
    }
  });

  it('is of no use to who may not run a decision in it, though it takes a write', async (t) => {
    const server = await create(t);
    await server.admin.call('ACL', [
      'SETUSER',
      'bff',
      'on',
      '>pw',
      '~*',
      '&*',
      '-@all',
      '+evalsha',
      '+eval',
      '+set',
      '+info',
      '+client',
    ]);
    const { run, ready } = connect(t, `redis://bff:pw@127.0.0.1:${server.port}`);
    await ready(5000);
    await run(createRedisScript(`return redis.call('SET', KEYS[1], '1', 'PX', 1000)`), ['here'], []);
    await assert.rejects(createRedisProbe(run)());
  });

  it('finds its way in a cluster', async (t) => {
    const server = await create(t, ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']);
    await server.admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    while (!String(await server.admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await sleep(20);
    const { run, ready } = connect(t, `redis-cluster://127.0.0.1:${server.port}`);
    await ready(5000);
    const script = createRedisScript(`return redis.call('MSET', KEYS[1], '1', KEYS[2], '2')`);
    await run(script, ['{tag}a', '{tag}b'], []);
    assert.equal(await server.admin.get('{tag}b'), '2');
  });

  for (const [how, requirepass, user] of [
    ['that are open', '', ''],
    ['that are open, though Redis has users,', '', 'app'],
    ['that want the password of Redis', 'pw', ''],
  ] as const) {
    it(`asks sentinels ${how} for the master`, async (t) => {
      const master = await create(t);
      await master.admin.call('ACL', ['SETUSER', 'app', 'on', '>pw', '~*', '&*', '+@all']);
      const directory = await mkdtemp(join(tmpdir(), 'sentinel-test-'));
      t.after(() => rm(directory, { recursive: true, force: true }));
      const config = join(directory, 'sentinel.conf');
      await writeFile(config, `sentinel monitor main 127.0.0.1 ${master.port} 1\n`);
      const sentinel = await createRedisServer({ absent: true, args: ['--sentinel'], config });
      t.after(() => sentinel.close());
      if (requirepass) {
        await appendFile(config, `requirepass ${requirepass}\n`);
        sentinel.admin.options.password = requirepass;
        await master.admin.config('SET', 'requirepass', requirepass);
      }
      await sentinel.start();
      const account = requirepass || user ? `${user}:pw@` : '';
      const { run, ready } = connect(t, `redis-sentinel://${account}127.0.0.1:${sentinel.port}#main`);
      await ready(5000);
      await run(createRedisScript(`return redis.call('SET', KEYS[1], '1')`), ['here'], []);
      assert.equal(await master.admin.get('here'), '1');
    });
  }
});
