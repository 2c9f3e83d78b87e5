import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';

export type Line = Readonly<{
  /** Without its line feed; `undefined` if it is not UTF-8 or longer than any record. */
  text: string | undefined;
  /** Byte offset of its first byte, and of the byte behind it and its line feed. */
  start: number;
  end: number;
  /** False for a last line without line feed. */
  terminated: boolean;
  /** Whether a line without `text` holds zero bytes. */
  zeros: boolean;
}>;

const CHUNK_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

/** The lines of a file from byte `from` on, some at a time, in memory that does not grow with the file. */
export async function* readLines(path: string, from = 0): AsyncGenerator<readonly Line[]> {
  const file = await open(path);
  try {
    // One chunk is read behind what is left of the chunk before, which is never longer than a chunk.
    const buffer = Buffer.allocUnsafe(2 * CHUNK_BYTES);
    let held = 0;
    let start = from;
    /** Bytes of an overlong line that were dropped so far. */
    let dropped = 0;
    let droppedZeros = false;
    for (;;) {
      const { bytesRead } = await file.read(buffer, held, CHUNK_BYTES, start + dropped + held);
      if (bytesRead === 0) break;
      const filled = held + bytesRead;
      const lines: Line[] = [];
      let position = 0;
      for (
        let feed = nextFeed(buffer, held, filled);
        feed !== -1;
        feed = nextFeed(buffer, position, filled)
      ) {
        const end = start + dropped + (feed + 1 - position);
        const bytes = buffer.subarray(position, feed);
        const text = dropped === 0 ? toText(bytes) : undefined;
        lines.push({
          text,
          start,
          end,
          terminated: true,
          zeros: text === undefined && (droppedZeros || bytes.includes(0)),
        });
        start = end;
        dropped = 0;
        droppedZeros = false;
        position = feed + 1;
      }
      held = filled - position;
      buffer.copyWithin(0, position, filled);
      if (held > CHUNK_BYTES) {
        droppedZeros ||= buffer.subarray(0, held).includes(0);
        dropped += held;
        held = 0;
      }
      if (lines.length > 0) yield lines;
    }
    const rest = dropped + held;
    if (rest > 0) {
      const bytes = buffer.subarray(0, held);
      const text = dropped === 0 ? toText(bytes) : undefined;
      const zeros = text === undefined && (droppedZeros || bytes.includes(0));
      yield [{ text, start, end: start + rest, terminated: false, zeros }];
    }
  } finally {
    await file.close();
  }
}

function nextFeed(buffer: Buffer, from: number, filled: number): number {
  const feed = buffer.indexOf(LINE_FEED, from);
  return feed < filled ? feed : -1;
}

function toText(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}
