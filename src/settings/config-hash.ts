import { createHash } from 'node:crypto';
import type { Settings } from '../settings.ts';

/** Members in order of their names, so that equal settings give equal text; a Secret tells only that it is there. */
function toStable(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** SHA-256 (hex) over the settings without their secrets: tells in the audit journal that something was changed. */
export function toConfigHash(settings: Settings): string {
  return createHash('sha256').update(JSON.stringify(settings, toStable)).digest('hex');
}
