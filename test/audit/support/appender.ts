// A process that appends until it is killed, and says after each record that it was acknowledged.
import { openJournal } from '../../../src/audit/journal.ts';
import { APPEND_TIMEOUT_MS, toIntent, toOutcome } from './journal.ts';

const [, , directory = ''] = process.argv;
const silent = { error() {}, warn() {}, info() {}, debug() {} };
const journal = await openJournal({
  directory,
  version: '0.0.0',
  node: process.version,
  configHash: 'c0ffee',
  rotateBytes: 64 * 1024,
  appendTimeoutMs: APPEND_TIMEOUT_MS,
  log: silent,
});
process.stdout.write('open\n');
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (;;) {
      const intent = await journal.append(toIntent());
      process.stdout.write(`${intent.id}\n`);
      const outcome = await journal.append(toOutcome(intent.id));
      process.stdout.write(`${outcome.id}\n`);
    }
  }),
);
