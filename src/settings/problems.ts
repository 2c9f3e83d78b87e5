import type { SettingName } from './table.ts';
import { SettingsError } from './settings-error.ts';

/** Collects what is wrong, so that all of it is reported at once. */
export type Problems = Readonly<{
  /** One line: `NAME: expected …, got …`. */
  add: (names: SettingName | 'CONFIG_FILE' | readonly SettingName[], expected: string, got: string) => void;
  /** Whether something was said about this setting: then nothing more needs to be. */
  has: (name: SettingName) => boolean;
  /** Throws a {@link SettingsError} unless nothing was added. */
  throwAny: () => void;
}>;

const SHOWN_CHARACTERS = 120;

/** A value as a message may show it: quoted, cut, without the user of a URL, and no pasted PEM. */
export function toShown(value: string): string {
  if (/\p{Cc}/u.test(value)) return 'a value with line breaks or control characters';
  return JSON.stringify(value.replaceAll(/\/\/[^/\s]*@/g, '//[redacted]@').slice(0, SHOWN_CHARACTERS));
}

/** `secrets` are cut out of every line, wherever they were put by mistake. */
export function createProblems(secrets: readonly string[]): Problems {
  const lines: string[] = [];
  const named = new Set<string>();

  return {
    add(names, expected, got) {
      const all = typeof names === 'string' ? [names] : names;
      for (const name of all) named.add(name);
      const line = `${all.join(', ')}: expected ${expected}, got ${got}`;
      lines.push(secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), line));
    },
    has: (name) => named.has(name),
    throwAny() {
      if (lines.length > 0) throw new SettingsError(lines);
    },
  };
}
