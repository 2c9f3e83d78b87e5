import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/** A string that must never be printed: every way of turning it into text gives `[redacted]`, only `reveal()` the value. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
