import type { SettingName } from './table.ts';
import { SettingsError } from './settings-error.ts';

/** Collects what is wrong, so that all of it is reported at once. */
export type Problems = Readonly<{
  /** One line: `NAME: expected …, got …`. */
  add: (names: SettingName | 'CONFIG_FILE' | readonly SettingName[], expected: string, got: string) => void;
  /** {@link toShown}, without any secret of these settings. */
  shown: (value: string) => string;
  /** Whether something was said about this setting: then nothing more needs to be. */
  has: (name: SettingName) => boolean;
  /** Throws a {@link SettingsError} unless nothing was added. */
  throwAny: () => void;
}>;

const SHOWN_CHARACTERS = 120;

/** A shorter one goes only where it is all that was given: elsewhere it would cut harmless text to pieces, and betray itself. */
const SHORTEST_SECRET = 8;

const REDACTED = '[redacted]';

function withoutSecrets(text: string, secrets: readonly string[]): string {
  if (secrets.includes(text)) return REDACTED;
  const long = secrets.filter(({ length }) => length >= SHORTEST_SECRET);
  return long.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
}

/** Up to the last @: what is no URL yet may hold any character in its password. */
const withoutUser = (text: string): string =>
  text.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, `$1${REDACTED}@`);

/** A value as a message may show it: quoted, cut, without `secrets` and the user of a URL, and no pasted PEM. */
export function toShown(value: string, secrets: readonly string[] = []): string {
  if (/\p{Cc}/u.test(value)) return 'a value with line breaks or control characters';
  return JSON.stringify(withoutUser(withoutSecrets(value, secrets)).slice(0, SHOWN_CHARACTERS));
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
      lines.push(withoutSecrets(line, secrets));
    },
    shown: (value) => toShown(value, secrets),
    has: (name) => named.has(name),
    throwAny() {
      if (lines.length > 0) throw new SettingsError(lines);
    },
  };
}
