import { text } from 'node:stream/consumers';
import { runAuditCommand } from './audit/command.ts';

// `audit … | head` closes the pipe: no error, just nobody who reads on.
let closed = false;
process.stdout.on('error', () => {
  closed = true;
});

// npm runs its scripts in the directory of the package; what a caller names lies where the caller stands.
const { INIT_CWD: callerDirectory, npm_lifecycle_event: script } = process.env;
if (script === 'audit' && callerDirectory !== undefined) process.chdir(callerDirectory);

process.exitCode = await runAuditCommand(process.argv.slice(2), {
  environment: process.env,
  now: Date.now,
  write: (output) =>
    new Promise((resolve) => {
      if (closed || output === '') resolve();
      else process.stdout.write(output, () => resolve());
    }),
  writeError: (output) => void process.stderr.write(output),
  closed: () => closed,
  readInput: () => text(process.stdin),
  inputIsTerminal: process.stdin.isTTY,
  outputIsTerminal: process.stdout.isTTY,
  errorIsTerminal: process.stderr.isTTY,
});
