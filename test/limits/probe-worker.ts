// A process of its own, which trusts the authority that NODE_EXTRA_CA_CERTS names: tells whether Redis can be used at this URL.
import { createRedisConnection } from '../../src/limits/redis-connection.ts';
import { createRedisProbe } from '../../src/limits/redis-probe.ts';
import { toReason } from '../../src/limits/redis-reason.ts';
import { Secret } from '../../src/secret.ts';

const { run, ready, close } = createRedisConnection({
  url: new Secret(process.argv[2] ?? ''),
  deadlineMs: 5000,
});
await ready(Number(process.argv[3]));
process.stdout.write(
  await createRedisProbe(run)().then(
    () => 'usable',
    (error: unknown) => toReason(error),
  ),
);
close();
