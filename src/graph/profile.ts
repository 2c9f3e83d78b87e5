import { ProblemError } from '../errors.ts';

/** The two entity sets that offer createToken. */
export const PROFILE_SETS = [
  'androidForWorkEnrollmentProfiles',
  'androidDeviceOwnerEnrollmentProfiles',
] as const;
export type ProfileSet = (typeof PROFILE_SETS)[number];

export type ProfileId = Readonly<{
  /** As Graph's actions take it: a GUID, or one with the prefix that Intune's AOSP profiles carry. */
  action: string;
  /** As Graph's reads take it, and as audit and limits know it: the bare GUID in lower case. */
  canonical: string;
}>;

export type Profile = Readonly<{ set: ProfileSet; id: ProfileId }>;

/** `{id}` of the routes (contract 3): one that a browser's `RegExp` reads too, because openapi.json shows it. */
export const PROFILE_ID = /^(?:AOSP-)?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$/;

export const isProfileId = (text: string): boolean => PROFILE_ID.test(text);

/** Throws ProblemError `invalid_profile_id`; what passes holds nothing but hexadecimal digits, dashes and the prefix. */
export function parseProfileId(text: string): ProfileId {
  const guid = PROFILE_ID.exec(text)?.[1];
  if (guid === undefined) throw new ProblemError('invalid_profile_id');
  return { action: text, canonical: guid.toLowerCase() };
}
