// Preloaded into a service whose death is to be that of its machine: what was written and not synced is gone with it.
import type { FileHandle } from 'node:fs/promises';
import { interceptFiles } from './intercept-files.ts';

type Unsynced = Readonly<{ bytes: Buffer; position: number | null }>;
const unsynced = new WeakMap<FileHandle, readonly Unsynced[]>();

await interceptFiles((file, below) => ({
  async write(bytes, position) {
    unsynced.set(file, [...(unsynced.get(file) ?? []), { bytes, position }]);
  },
  async datasync() {
    const due = unsynced.get(file) ?? [];
    unsynced.delete(file);
    for (const { bytes, position } of due) await below.write(bytes, position);
    await below.datasync();
  },
}));
