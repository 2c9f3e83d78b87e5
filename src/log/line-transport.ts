import Transport from 'winston-transport';

/** Where winston puts the formatted line (triple-beam). */
const MESSAGE = Symbol.for('message');

type Info = Readonly<{ level: string; [MESSAGE]?: unknown }>;

/**
 * Hands each line to `write`. winston's own transports write to the console line by line, a call of the system each, for a
 * few µs of every request.
 */
export function createLineTransport(write: (line: string, level: string) => void): Transport {
  return new Transport({
    log(info: Info, next) {
      write(`${String(info[MESSAGE])}\n`, info.level);
      next();
    },
  });
}

export type LineBatch = Readonly<{
  add: (line: string, level: string) => void;
  /** To be called when the process exits: no turn comes any more, and what it logged last tells the most. */
  flush: () => void;
}>;

/**
 * Writes the lines of one turn of the event loop at once. An error is written immediately, with all that came before it: the
 * process may be about to end.
 */
export function createLineBatch(write: (lines: string) => unknown): LineBatch {
  let lines = '';

  const flush = (): void => {
    if (lines === '') return;
    const text = lines;
    lines = '';
    write(text);
  };

  return {
    flush,
    add: (line, level) => {
      if (lines === '' && level !== 'error') setImmediate(flush);
      lines += line;
      if (level === 'error') flush();
    },
  };
}
