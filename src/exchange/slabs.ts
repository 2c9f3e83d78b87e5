/** Bytes; room for about eight tokens. */
const SLAB_BYTES = 16 * 1024;

/**
 * Keeps texts of ASCII outside of V8's heap, where each takes its length: inside, the collector wants as much room again for
 * whatever lives there. A slab goes when the last of its texts is let go, and those that came together go together.
 */
export function createSlabs(): (text: string) => Buffer {
  let slab = Buffer.alloc(0);
  let used = 0;

  return (text) => {
    if (used + text.length > slab.length) {
      slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, text.length));
      used = 0;
    }
    const kept = slab.subarray(used, used + text.length);
    kept.write(text, 'latin1');
    used += text.length;
    return kept;
  };
}
