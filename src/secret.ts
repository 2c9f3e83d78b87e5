import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/** A string that must never be printed: every way of turning it into text gives `[redacted]`, only `reveal()` the value. */
export class Secret {
  readonly #value: string | Buffer;

  /** @param value the text, or where it is kept as ASCII */
  constructor(value: string | Buffer) {
    this.#value = value;
  }

  reveal(): string {
    return typeof this.#value === 'string' ? this.#value : this.#value.toString('latin1');
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
