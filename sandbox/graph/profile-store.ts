import {
  createDeviceOwnerProfile,
  createForWorkProfile,
  isAosp,
  PROFILE_IDS,
  withNewToken,
  withoutToken,
  type Profile,
  type SetName,
} from './profile.ts';

export type ProfileStore = Readonly<{
  list: (set: SetName) => readonly Profile[];
  /** `stale`: as it was before the last act. */
  read: (set: SetName, id: string, options?: Readonly<{ stale: boolean }>) => Profile | undefined;
  /** As an action takes the id: with `AOSP-` before the GUID of an AOSP profile, and only there. */
  find: (set: SetName, actionId: string) => Profile | undefined;
  createToken: (set: SetName, id: string, validitySeconds: number) => Profile;
  revokeToken: (set: SetName, id: string) => Profile;
  /** Adds a profile, or replaces the one with its id. */
  put: (set: SetName, profile: Profile) => void;
}>;

type Slot = { current: Profile; before: Profile };

export function createProfileStore({
  now,
  canary,
}: Readonly<{ now: () => number; canary: string }>): ProfileStore {
  const slots: Record<SetName, Map<string, Slot>> = {
    androidForWorkEnrollmentProfiles: new Map(),
    androidDeviceOwnerEnrollmentProfiles: new Map(),
  };
  const put: ProfileStore['put'] = (set, profile) => {
    slots[set].set(profile.id, { current: profile, before: profile });
  };
  const change = (set: SetName, id: string, to: (profile: Profile) => Profile): Profile => {
    const slot = slots[set].get(id);
    if (slot === undefined) throw new Error(`there is no profile ${id}`);
    slot.before = slot.current;
    slot.current = to(slot.current);
    return slot.current;
  };
  const read: ProfileStore['read'] = (set, id, { stale } = { stale: false }) => {
    const slot = slots[set].get(id.toLowerCase());
    return stale ? slot?.before : slot?.current;
  };

  const seed = { now: now(), canary };
  const deviceOwner = 'androidDeviceOwnerEnrollmentProfiles';
  put('androidForWorkEnrollmentProfiles', createForWorkProfile(PROFILE_IDS.forWork, 'Work profile', seed));
  put(
    deviceOwner,
    createDeviceOwnerProfile(PROFILE_IDS.deviceOwner, 'Scanners', 'corporateOwnedDedicatedDevice', seed),
  );
  put(
    deviceOwner,
    createDeviceOwnerProfile(PROFILE_IDS.aosp, 'Headsets', 'corporateOwnedAOSPUserlessDevice', seed),
  );

  return {
    list: (set) => [...slots[set].values()].map(({ current }) => current),
    read,
    find: (set, actionId) => {
      const profile = read(set, actionId.replace(/^AOSP-/i, ''));
      const prefixed = profile?.id !== actionId.toLowerCase();
      return profile !== undefined && prefixed === isAosp(profile) ? profile : undefined;
    },
    createToken: (set, id, validitySeconds) =>
      change(set, id, (profile) => withNewToken(profile, validitySeconds, { now: now(), canary })),
    revokeToken: (set, id) => change(set, id, (profile) => withoutToken(profile, now())),
    put,
  };
}
