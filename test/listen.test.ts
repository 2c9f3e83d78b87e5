import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { listen, type Binding } from '../src/listen.ts';
import { SettingsError } from '../src/settings/settings-error.ts';

const names = { host: 'ADMIN_HOST', port: 'ADMIN_PORT' } as const;
const loopback: Binding = { host: '127.0.0.1', port: 0, names };

/** What becomes of a listener about which the system says `code`. */
async function refusal(code: string): Promise<unknown> {
  const server = createServer();
  server.listen = () => server;
  const listening = listen(server, loopback);
  server.emit('error', Object.assign(new Error(`listen ${code}`), { code, syscall: 'listen' }));
  return listening.catch((error: unknown) => error);
}

test('it resolves with the port that was picked', async (t) => {
  const server = createServer();
  t.after(() => server.close());
  const port = await listen(server, loopback);
  assert.deepEqual(server.address(), { address: '127.0.0.1', family: 'IPv4', port });
  assert.equal(server.listenerCount('error'), 0);
});

test('a host that is no address of this machine is a wrong setting', async () => {
  for (const code of ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EAFNOSUPPORT', 'EINVAL']) {
    const error = await refusal(code);
    assert.ok(error instanceof SettingsError);
    assert.deepEqual(error.problems, [
      `ADMIN_HOST: expected an address of this machine, got "127.0.0.1" (${code})`,
    ]);
  }
});

test('anything else names the port', async () => {
  for (const code of ['EADDRINUSE', 'EACCES']) {
    const error = await refusal(code);
    assert.ok(error instanceof Error && !(error instanceof SettingsError));
    assert.equal(error.message, `ADMIN_PORT: listen ${code}`);
  }
});
