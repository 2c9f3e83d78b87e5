import { createLogger as createWinstonLogger, format } from 'winston';
import { createLineTransport } from './log/line-transport.ts';
import { createToPrintable } from './log/printable.ts';

/** What a line tells besides its message: request ids, numbers, errors. Nothing secret gets through. */
export type LogFields = Readonly<Record<string, unknown>>;

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export type Logger = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

export type LoggerOptions = Readonly<{
  /** The least severe level that is written. */
  level: LogLevel;
  /** Takes each line, its line break included. */
  write: (line: string, level: string) => void;
  /** Milliseconds since the epoch. */
  now?: () => number;
}>;

/** Logs one JSON object a line: `time` (RFC 3339, UTC), `level`, `message`, then the fields. */
export function createLogger({ level, write, now = Date.now }: LoggerOptions): Logger {
  const toPrintable = createToPrintable();
  const line = format.printf(({ level, message, fields }) => {
    const head = { time: new Date(now()).toISOString(), level, message: toPrintable(message) };
    return JSON.stringify(Object.assign({}, head, toPrintable(fields ?? {}), head));
  });
  const winston = createWinstonLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: line,
    transports: [createLineTransport(write)],
  });

  const at =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      winston.log({ level, message, fields });
    };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
