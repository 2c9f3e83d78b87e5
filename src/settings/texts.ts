import type { Problems } from './problems.ts';
import { isSettingName, ROWS, SETTING_NAMES, type SettingName } from './table.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => string;

/** What each setting says, before it is understood. A setting without text is unset. */
export type Texts = ReadonlyMap<SettingName, string>;

/** A JSON value as the environment would write it. */
function readText(value: unknown): string | undefined {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(',');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** Keeps secrets out of files that people commit and copy. */
function isSecret(name: SettingName, text: string): boolean {
  return ROWS[name].secret === 'always' || (ROWS[name].secret === 'ifCredentials' && /[@?]/.test(text));
}

function readJson(json: unknown, problems: Problems): Texts {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    problems.add('CONFIG_FILE', 'a JSON object', 'something else');
    return new Map();
  }
  const texts = new Map<SettingName, string>();
  for (const [name, value] of Object.entries(json)) {
    if (!isSettingName(name) || name === 'CONFIG_FILE') {
      problems.add('CONFIG_FILE', 'the names of settings only', problems.shown(name));
      continue;
    }
    const text = readText(value);
    if (text === undefined) {
      problems.add(name, 'a string, number, boolean or list of strings in CONFIG_FILE', 'another type');
    } else if (isSecret(name, text)) {
      problems.add(name, 'this secret in the environment or in a file that it names', 'it in CONFIG_FILE');
    } else if (text.trim() !== '') {
      texts.set(name, text.trim());
    }
  }
  return texts;
}

function readConfigFile(path: string, readFile: ReadFile, problems: Problems): Texts {
  let json: unknown;
  try {
    json = JSON.parse(readFile(path));
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'no JSON' : 'none';
    problems.add('CONFIG_FILE', 'a readable JSON file', `${reason} in ${problems.shown(path)}`);
    return new Map();
  }
  return readJson(json, problems);
}

/** Empty means unset; a secret is left exactly as it was given. */
function readEnvironment(environment: Environment): Texts {
  const texts = new Map<SettingName, string>();
  for (const name of SETTING_NAMES) {
    const given = environment[name] || (ROWS[name].lowerCaseToo && environment[name.toLowerCase()]) || '';
    const text = ROWS[name].secret === 'always' ? given : given.trim();
    if (text !== '') texts.set(name, text);
  }
  return texts;
}

/** The texts in force: the defaults, outranked by CONFIG_FILE, outranked by the environment. */
export function readTexts(
  defaults: unknown,
  environment: Environment,
  readFile: ReadFile,
  problems: Problems,
): Texts {
  const fromEnvironment = readEnvironment(environment);
  const path = fromEnvironment.get('CONFIG_FILE');
  const fromFile: Texts = path === undefined ? new Map() : readConfigFile(path, readFile, problems);
  return new Map([...readJson(defaults, problems), ...fromFile, ...fromEnvironment]);
}
