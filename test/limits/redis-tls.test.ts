import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createCertificateAuthority } from '../../sandbox/certificate-authority.ts';
import { createRedisServer, findFreePort, NO_REDIS, type RedisServer } from './redis-server.ts';

const WORKER = new URL('./probe-worker.ts', import.meta.url).pathname;

/** A record of TLS that nobody may send: an alert without encryption behind the handshake. */
const BAD_RECORD = Buffer.from([21, 3, 3, 0, 2, 2, 50]);

/** Servers with certificates of their own, and a process that tries to use them. */
async function createWorld(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'redis-tls-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const authority = await createCertificateAuthority();
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, authority.caPem);

  /** Beside its plain port, for the test. */
  const start = async (
    name: string,
    options: Readonly<{ args?: readonly string[]; config?: string }> = {},
  ): Promise<Readonly<{ server: RedisServer; tlsPort: number }>> => {
    const { key, cert } = await authority.issue([name]);
    const [keyFile, certFile] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
    await Promise.all([writeFile(keyFile, key), writeFile(certFile, cert)]);
    const tlsPort = await findFreePort();
    const tls = ['--tls-port', String(tlsPort), '--tls-cert-file', certFile, '--tls-key-file', keyFile];
    const server = await createRedisServer({
      ...options,
      args: [...tls, '--tls-ca-cert-file', caFile, '--tls-auth-clients', 'no', ...(options.args ?? [])],
    });
    t.after(() => server.close());
    return { server, tlsPort };
  };

  const use = async (url: string, waitMs = 5000): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', WORKER, url, String(waitMs)],
      {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: caFile },
      },
    );
    return stdout;
  };
  return { directory, start, use };
}

describe('Redis with TLS', { skip: NO_REDIS, concurrency: 3 }, () => {
  it('takes a certificate for the name that stands in the URL, and no other', async (t) => {
    const { start, use } = await createWorld(t);
    const { tlsPort } = await start('localhost');
    assert.equal(await use(`rediss://localhost:${tlsPort}`), 'usable');
    assert.notEqual(await use(`rediss://127.0.0.1:${tlsPort}`, 500), 'usable');
  });

  for (const [scheme, path] of [
    ['rediss', ''],
    ['rediss-sentinel', '#main'],
    ['rediss-cluster', ''],
  ] as const) {
    it(`outlives an error on a connection that has failed already, by ${scheme}`, async (t) => {
      const { start, use } = await createWorld(t);
      const { tlsPort } = await start('localhost');
      const port = await findFreePort();
      const proxy = createServer((near) => {
        const far = connect(tlsPort, '127.0.0.1');
        far.once('data', (flight) => {
          near.write(Buffer.concat([flight, BAD_RECORD])); // the certificate, which is refused, and an error right behind it
        });
        near.pipe(far);
        for (const socket of [near, far]) socket.on('error', () => socket.destroy());
        near.on('close', () => far.destroy());
      }).listen(port, '127.0.0.1');
      t.after(() => proxy.close());
      assert.notEqual(await use(`${scheme}://127.0.0.1:${port}${path}`, 1000), 'usable');
    });
  }

  it('asks of sentinels and master each for its own name', async (t) => {
    const { directory, start, use } = await createWorld(t);
    const master = await start('127.0.0.1');
    const config = join(directory, 'sentinel.conf');
    await writeFile(config, `sentinel monitor main 127.0.0.1 ${master.tlsPort} 1\n`);
    const sentinel = await start('localhost', { args: ['--sentinel', '--tls-replication', 'yes'], config });
    assert.equal(await use(`rediss-sentinel://localhost:${sentinel.tlsPort}#main`), 'usable');
  });

  it('asks each node of a cluster for its own name, and not for its address', async (t) => {
    const { start, use } = await createWorld(t);
    const args = ['--cluster-enabled', 'yes', '--tls-cluster', 'yes', '--cluster-announce-ip', '127.0.0.1'];
    args.push('--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname');
    const { server, tlsPort } = await start('localhost', { args });
    await server.admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    while (!String(await server.admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await sleep(20);
    const gone = await findFreePort();
    assert.equal(await use(`rediss-cluster://127.0.0.1:${gone},localhost:${tlsPort}`), 'usable');
  });
});
