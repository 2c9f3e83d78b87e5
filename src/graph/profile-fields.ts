import type { ProfileSet } from './profile.ts';

/** What a field holds. Graph may leave any but `id` null. */
export type FieldType = 'string' | 'dateTime' | 'integer' | 'boolean' | 'strings';

const SHARED = {
  id: 'string',
  displayName: 'string',
  description: 'string',
  createdDateTime: 'dateTime',
  lastModifiedDateTime: 'dateTime',
  tokenExpirationDateTime: 'dateTime',
  enrolledDeviceCount: 'integer',
} as const satisfies Readonly<Record<string, FieldType>>;

/**
 * The fields of a profile that list and get ask Graph for and let through. An allow-list: `accountId`, the token, its QR code
 * and the whole Wi-Fi configuration (its password is in clear) are neither asked for nor passed on.
 */
export const PUBLIC_FIELDS: Readonly<Record<ProfileSet, Readonly<Record<string, FieldType>>>> = {
  androidForWorkEnrollmentProfiles: SHARED,
  androidDeviceOwnerEnrollmentProfiles: {
    ...SHARED,
    enrollmentMode: 'string',
    enrollmentTokenType: 'string',
    tokenCreationDateTime: 'dateTime',
    enrollmentTokenUsageCount: 'integer',
    roleScopeTagIds: 'strings',
    isTeamsDeviceProfile: 'boolean',
    deviceNameTemplate: 'string',
  },
};

const TOKEN = ['id', 'displayName', 'tokenValue', 'tokenExpirationDateTime', 'qrCodeContent', 'qrCodeImage'];

/** The fields that hold the current token. Without `$select` Graph leaves them blank. */
export const TOKEN_FIELDS: Readonly<Record<ProfileSet, readonly string[]>> = {
  androidForWorkEnrollmentProfiles: TOKEN,
  androidDeviceOwnerEnrollmentProfiles: [...TOKEN, 'tokenCreationDateTime'],
};
