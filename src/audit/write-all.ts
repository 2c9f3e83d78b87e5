import type { JournalFile } from './journal-files.ts';

/**
 * Writes every byte, or rejects. A full disk takes a part first and says so only by the count (measured: 162 of
 * 321 bytes, without an error); the call for the rest then brings the error.
 */
export async function writeAll(file: JournalFile, bytes: Uint8Array, position?: number): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const rest = bytes.subarray(written);
    const count = await file.write(rest, position === undefined ? undefined : position + written);
    if (count === 0) throw new Error('the disk took no byte');
    written += count;
  }
}
