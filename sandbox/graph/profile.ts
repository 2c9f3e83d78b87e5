import { randomBytes } from 'node:crypto';
import { drawCode } from './qr-code.ts';

export const SETS = ['androidForWorkEnrollmentProfiles', 'androidDeviceOwnerEnrollmentProfiles'] as const;
export type SetName = (typeof SETS)[number];

/** An enrollment profile with the properties that Graph's beta gives it, secrets included. */
export type Profile = Readonly<Record<string, unknown> & { id: string; tokenValue: string }>;

/** What Intune shows in place of a date that was never set. */
export const NEVER = '0001-01-01T00:00:00Z';

export const PROFILE_IDS = {
  forWork: 'f0f0f0f0-0000-4000-8000-00000000f0a1',
  deviceOwner: 'd0d0d0d0-0000-4000-8000-00000000d0a1',
  aosp: 'a05bb05b-0000-4000-8000-00000000a05b',
} as const;

const WITHOUT_TOKEN = {
  tokenValue: '',
  tokenExpirationDateTime: NEVER,
  qrCodeContent: '',
  qrCodeImage: null,
};

/** Graph writes seven decimals. */
export const toGraphDate = (ms: number): string => new Date(ms).toISOString().replace('Z', '0000Z');

type Seed = Readonly<{ now: number; canary: string }>;

export function createForWorkProfile(id: string, displayName: string, { now, canary }: Seed): Profile {
  return {
    id,
    accountId: `${canary}5a17d0c5-0000-4000-8000-0000000acc01`,
    displayName,
    description: 'Work profiles on personal devices',
    createdDateTime: toGraphDate(now),
    lastModifiedDateTime: toGraphDate(now),
    enrolledDeviceCount: 3,
    ...WITHOUT_TOKEN,
  };
}

export function createDeviceOwnerProfile(
  id: string,
  displayName: string,
  enrollmentMode: string,
  { now, canary }: Seed,
): Profile {
  const base = createForWorkProfile(id, displayName, { now, canary });
  return {
    ...base,
    description: 'Devices owned by the company',
    enrollmentMode,
    enrollmentTokenType: 'default',
    enrollmentTokenUsageCount: 0,
    tokenCreationDateTime: NEVER,
    isTeamsDeviceProfile: false,
    deviceNameTemplate: '',
    roleScopeTagIds: ['0'],
    configureWifi: true,
    wifiSsid: 'Warehouse',
    wifiPassword: `${canary}wifi-password-in-clear`,
    wifiSecurityType: 'wpaPsk',
    wifiHidden: false,
  };
}

export const isAosp = (profile: Profile): boolean => String(profile['enrollmentMode']).includes('AOSP');

/** The profile with a new token, as after createToken. */
export function withNewToken(profile: Profile, validitySeconds: number, { now, canary }: Seed): Profile {
  const tokenValue = `${canary}${randomBytes(12).toString('hex').toUpperCase()}`;
  const qrCodeContent = JSON.stringify({
    'android.app.extra.PROVISIONING_DEVICE_ADMIN_COMPONENT_NAME':
      'com.google.android.apps.work.clouddpc/.receivers.CloudDeviceAdminReceiver',
    'android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE': {
      'com.google.android.apps.work.clouddpc.EXTRA_ENROLLMENT_TOKEN': tokenValue,
    },
  });
  return {
    ...profile,
    lastModifiedDateTime: toGraphDate(now),
    tokenValue,
    tokenExpirationDateTime: toGraphDate(now + validitySeconds * 1000),
    qrCodeContent,
    qrCodeImage: { type: 'image/png', value: drawCode(qrCodeContent).toString('base64') },
    ...('tokenCreationDateTime' in profile && { tokenCreationDateTime: toGraphDate(now) }),
  };
}

export function withoutToken(profile: Profile, now: number): Profile {
  return {
    ...profile,
    ...WITHOUT_TOKEN,
    lastModifiedDateTime: toGraphDate(now),
    ...('tokenCreationDateTime' in profile && { tokenCreationDateTime: NEVER }),
  };
}
