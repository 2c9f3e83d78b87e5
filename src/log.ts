// Placeholder type; the winston implementation follows.
export type LogFields = Readonly<Record<string, unknown>>;
export type Logger = Readonly<
  Record<'error' | 'warn' | 'info' | 'debug', (message: string, fields?: LogFields) => void>
>;
