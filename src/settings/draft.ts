import type { Problems } from './problems.ts';
import { ROWS, SETTING_NAMES, type SettingName, type SettingValues } from './table.ts';
import type { ReadFile, Texts } from './texts.ts';

/** Settings of which each is understood by itself, before they are held against each other. */
export type Draft = Readonly<{
  problems: Problems;
  /** Whether the setting was given at all, be it right or wrong. */
  isSet: (name: SettingName) => boolean;
  /** The value, or `undefined`: unset, or wrong and already reported. */
  value: <Name extends SettingName>(name: Name) => SettingValues[Name] | undefined;
  /** The content of the file that a setting names, without one line break at its end; `undefined` is already reported. */
  content: (name: SettingName) => string | undefined;
}>;

function toReason(error: unknown): string {
  return error instanceof Error && 'code' in error
    ? `one that cannot be read (${String(error.code)})`
    : 'none';
}

export function createDraft(texts: Texts, readFile: ReadFile, problems: Problems): Draft {
  const value: Draft['value'] = (name) => {
    const text = texts.get(name);
    return text === undefined ? undefined : ROWS[name].kind.read(text);
  };

  for (const name of SETTING_NAMES) {
    const { kind, optional, secret } = ROWS[name];
    const text = texts.get(name);
    if (problems.has(name)) continue;
    if (text === undefined && optional === undefined) problems.add(name, kind.expected, 'nothing');
    if (text !== undefined && kind.read(text) === undefined) {
      problems.add(name, kind.expected, secret === undefined ? problems.shown(text) : 'another value');
    }
  }

  return {
    problems,
    isSet: (name) => texts.has(name),
    value,
    content(name) {
      const path = texts.get(name);
      if (path === undefined || problems.has(name)) return undefined;
      try {
        const content = readFile(path).replace(/\r?\n$/, '');
        if (content.trim() !== '') return content;
        problems.add(name, 'a readable file', 'an empty one');
      } catch (error) {
        problems.add(name, 'a readable file', toReason(error));
      }
      return undefined;
    },
  };
}
