/** What every peer is told; see PeerSettings in bench/server.ts. */
export const config = JSON.parse(process.env.PEER_SETTINGS);

/** A limit that counts and never refuses here: the work is measured, not the refusal. */
export const LIMIT = { max: 100_000_000, windowMs: 60_000 };

export const CREATE_PATH = '/beta/deviceManagement/androidDeviceOwnerEnrollmentProfiles/:id/createToken';
