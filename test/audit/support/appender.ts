// A process that appends until it is killed, and says after each record that it was acknowledged.
import { writeSync } from 'node:fs';
import { openJournal } from '../../../src/audit/journal.ts';
import { toIntent, toOutcome } from './journal.ts';

const [, , directory = ''] = process.argv;
const silent = { error() {}, warn() {}, info() {}, debug() {} };
const journal = await openJournal({
  directory,
  version: '0.0.0',
  node: process.version,
  configHash: 'c0ffee',
  rotateBytes: 64 * 1024,
  log: silent,
});
writeSync(1, 'open\n');
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (;;) {
      const intent = await journal.append(toIntent());
      writeSync(1, `${intent.id}\n`);
      const outcome = await journal.append(toOutcome(intent.id));
      writeSync(1, `${outcome.id}\n`);
    }
  }),
);
