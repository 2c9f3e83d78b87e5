import { isIP } from 'node:net';
import { Secret } from '../secret.ts';

/** How the text of a setting is understood. */
export type Kind<Value> = Readonly<{
  /** Completes the line `NAME: expected …`. */
  expected: string;
  /** The value, or `undefined` when the text is not what is expected. */
  read: (text: string) => Value | undefined;
}>;

/** A decimal integer without sign, leading zeros or exponent. */
export function integer(minimum: number, maximum: number): Kind<number> {
  return {
    expected: `an integer from ${minimum} to ${maximum}`,
    read: (text) => {
      if (!/^(?:0|[1-9]\d{0,15})$/.test(text)) return undefined;
      const value = Number(text);
      return value >= minimum && value <= maximum ? value : undefined;
    },
  };
}

export function oneOf<const Value extends string>(...values: readonly Value[]): Kind<Value> {
  return {
    expected: values.join(' or '),
    read: (text) => values.find((value) => value === text),
  };
}

export const flag: Kind<boolean> = {
  expected: 'true or false',
  read: (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
};

/** Any text on one line. */
export function text(expected: string): Kind<string> {
  return { expected, read: (text) => (/^[^\p{Cc}]+$/u.test(text) ? text : undefined) };
}

const GUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** Lower-cased, as Entra writes them. */
export const guid: Kind<string> = {
  expected: 'a GUID',
  read: (text) => (GUID.test(text) ? text.toLowerCase() : undefined),
};

/** At least one item, separated by commas; the same item twice counts once. */
export function listOf<Item>(item: Kind<Item>): Kind<readonly Item[]> {
  return {
    expected: `a list, separated by commas, of which each is ${item.expected}`,
    read: (text) => {
      const texts = text.split(',').map((part) => part.trim());
      const items = texts.filter((part) => part !== '').map((part) => item.read(part));
      const valid = items.filter((part) => part !== undefined);
      return valid.length > 0 && valid.length === items.length ? [...new Set(valid)] : undefined;
    },
  };
}

/** A kind of its own when the text is exactly `word`, else as `kind` says. */
export function orWord<const Word extends string, Value>(word: Word, kind: Kind<Value>): Kind<Value | Word> {
  return {
    expected: `${kind.expected}, or ${word} alone`,
    read: (text) => (text === word ? word : kind.read(text)),
  };
}

/** Printed by nobody: every kind of secret reads into a {@link Secret}. */
export function secret(kind: Kind<string>): Kind<Secret> {
  return {
    expected: kind.expected,
    read: (text) => {
      const value = kind.read(text);
      return value === undefined ? undefined : new Secret(value);
    },
  };
}

/** Where a listener binds: an IP address or a host name. */
export const host: Kind<string> = {
  expected: 'an IP address or a host name',
  read: (text) => (isIP(text) !== 0 || /^[a-z\d](?:[a-z\d.-]*[a-z\d])?$/i.test(text) ? text : undefined),
};

/** An address or a CIDR. A prefix of 0 would believe everybody and is refused. */
export const network: Kind<string> = {
  expected: 'an IP address or a CIDR such as 10.0.0.0/8',
  read: (text) => {
    const [address = '', prefix, ...rest] = text.split('/');
    const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
    if (bits === 0 || address.includes('%') || rest.length > 0) return undefined;
    return prefix === undefined || integer(1, bits).read(prefix) !== undefined ? text : undefined;
  },
};
