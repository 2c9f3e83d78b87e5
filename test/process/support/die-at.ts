// Preloaded into a service that is to die of kill -9 at one moment of its own work:
//   DIE_AT    of what ("intent", "outcome", "recovered": its record; "tail": a torn line set aside; "answer": a 204), and
//             when ("due", "torn", "written", "synced")
//   DIE_AFTER how many of these it survives
import { writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { interceptFiles } from './intercept-files.ts';

/** Milliseconds for which the disk lets the service wait before it dies: who does not wait gives itself away. */
const HOLD = 100;
const STANDARD_ERROR = 2;
const LINE_FEED = 0x0a;

const point = process.env['DIE_AT'] ?? '';
const [subject, moment] = point.split(' ');
let survives = Number(process.env['DIE_AFTER'] ?? 0);

const mark = subject === 'answer' ? 'HTTP/1.1 204' : `"kind":"${subject}"`;
const isTail = (bytes: Buffer): boolean => bytes.at(-1) !== LINE_FEED;
const isMeant = (bytes: Buffer): boolean =>
  subject === 'tail' ? isTail(bytes) : bytes.includes(mark) && !isTail(bytes);
/** Counts what is meant. */
const isDue = (bytes: Buffer): boolean => isMeant(bytes) && (survives -= 1) < 0;

function die(): Promise<never> {
  writeSync(STANDARD_ERROR, `died: ${point}\n`);
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

async function hold(): Promise<never> {
  await wait(HOLD);
  return die();
}

async function dieWriting(): Promise<void> {
  let doomed: FileHandle | undefined;
  await interceptFiles((file, below) => ({
    async write(bytes, position) {
      if (doomed === file) return hold();
      if (!isDue(bytes)) return below.write(bytes, position);
      doomed = file;
      if (moment === 'due') return hold();
      if (moment === 'torn') {
        const within = subject === 'tail' ? bytes.byteLength / 2 : bytes.indexOf(mark);
        await below.write(bytes.subarray(0, within), position);
        await below.datasync();
        return hold();
      }
      await below.write(bytes, position);
      if (moment === 'written') void hold();
    },
    async datasync() {
      if (doomed === file && moment !== 'synced') return hold();
      await below.datasync();
      if (doomed === file) await die();
    },
  }));
}

type Write = (
  this: Socket,
  chunk: string | Uint8Array,
  encoding?: BufferEncoding,
  done?: (error?: Error | null) => void,
) => boolean;

function dieAnswering(): void {
  const write: Write = Reflect.get(Socket.prototype, 'write');
  const replaced: Write = function (chunk, encoding, done) {
    const text = String(chunk);
    if (!isDue(Buffer.from(text))) return write.call(this, chunk, encoding, done);
    while (this.writableCorked > 0) this.uncork();
    write.call(this, text.slice(0, text.length / 2));
    void die();
    return false;
  };
  Object.assign(Socket.prototype, { write: replaced });
}

if (subject === 'answer') dieAnswering();
else await dieWriting();
