// Preloaded into every test process: a test that leaves this machine fails at the place that tried to.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const LOOPBACK =
  /^(?:localhost|(?:[^.]+\.)*localhost|127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3}|0\.0\.0\.0|::)$/i;

class NetworkForbiddenError extends Error {
  override readonly name = 'NetworkForbiddenError';
  readonly code = 'ERR_TEST_NETWORK';
  constructor(host: string) {
    super(`a test may reach nothing but loopback, and this one tried ${host}`);
  }
}

function requireLoopback(host: unknown): void {
  if (typeof host === 'string' && host !== '' && !LOOPBACK.test(host)) throw new NetworkForbiddenError(host);
}

/** The host that a call of `Socket.connect` names: `(options)`, `(port, host)`, `(path)` or the pair net passes on. */
function readHost(args: readonly unknown[]): unknown {
  const [first, second] = args;
  if (Array.isArray(first)) return readHost(first);
  if (typeof first === 'object' && first !== null) return 'host' in first ? first.host : undefined;
  return typeof first === 'number' || /^\d+$/.test(String(first)) ? second : undefined;
}

/** A name may be connected to only through a `lookup` of the test's own; addresses are checked here. */
function hasOwnLookup(args: readonly unknown[]): boolean {
  const first: unknown = Array.isArray(args[0]) ? args[0][0] : args[0];
  return (
    typeof first === 'object' && first !== null && 'lookup' in first && typeof first.lookup === 'function'
  );
}

/** Replaces a function by one that looks at its arguments first. */
function guard(owner: object, name: string, check: (args: readonly unknown[]) => void): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') return;
  const apply = (target: typeof original, self: unknown, args: unknown[]): unknown => {
    check(args);
    return Reflect.apply(target, self, args);
  };
  Reflect.set(owner, name, new Proxy(original, { apply }));
}

guard(net.Socket.prototype, 'connect', (args) => {
  const host = readHost(args);
  if (net.isIP(String(host)) !== 0 || !hasOwnLookup(args)) requireLoopback(host);
});

for (const owner of [dns, dns.promises]) {
  for (const name of Object.keys(owner)) {
    if (/^(?:lookup$|resolve|reverse)/.test(name)) guard(owner, name, ([host]) => requireLoopback(host));
  }
}
syncBuiltinESMExports();
