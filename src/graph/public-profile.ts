import { ProblemError } from '../errors.ts';
import type { ProfileSet } from './profile.ts';
import { PUBLIC_FIELDS, type FieldType } from './profile-fields.ts';
import { toTokenState, type TokenState } from './token-state.ts';

type FieldValue = string | number | boolean | null | readonly string[];

/** A profile as list and get show it: the allowed fields and no others, and where its token stands. */
export type PublicProfile = Readonly<{ id: string; tokenState: TokenState; [field: string]: FieldValue }>;

const isOfType: Readonly<Record<FieldType, (value: unknown) => value is FieldValue>> = {
  string: (value) => typeof value === 'string',
  dateTime: (value): value is string => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  integer: (value): value is number => Number.isSafeInteger(value),
  boolean: (value) => typeof value === 'boolean',
  strings: (value): value is readonly string[] =>
    Array.isArray(value) && value.every((item) => typeof item === 'string'),
};

/** From Graph's JSON, field by field; what has another type than documented is left out. Throws `upstream_invalid` for no profile. */
export function toPublicProfile(json: unknown, set: ProfileSet, now: number): PublicProfile {
  const fields: Readonly<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? { ...json } : {};
  const { id } = fields;
  if (typeof id !== 'string' || id === '') throw new ProblemError('upstream_invalid');
  const shown = Object.entries(PUBLIC_FIELDS[set]).flatMap(
    ([name, type]): (readonly [string, FieldValue])[] => {
      const value = fields[name];
      return value === null || isOfType[type](value) ? [[name, value]] : [];
    },
  );
  return {
    ...Object.fromEntries(shown),
    id,
    tokenState: toTokenState(fields['tokenExpirationDateTime'], now),
  };
}
