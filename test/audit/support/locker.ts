// A process that takes the lock of a directory and keeps it until it is killed.
import { lockDirectory } from '../../../src/audit/lock.ts';

const [, , directory = ''] = process.argv;
const result = await lockDirectory(directory).then(
  () => 'held',
  (error: Error) => error.name,
);
process.stdout.write(`${result}\n`);
setInterval(() => undefined, 1000);
