import { crc32 } from 'node:zlib';

/** ISO/IEC 15948 section 5.2. */
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const TYPE = /^[A-Za-z]{4}$/;
/** Width, height, depth, colour, compression, filter, interlace (section 11.2.2). */
const HEADER_BYTES = 13;
/** Of each of the fields of a chunk beside its data: length, type, CRC (section 5.3). */
const FIELD_BYTES = 4;

type Chunk = Readonly<{ type: string; length: number; end: number }>;

/** The chunk that begins at `start`; `undefined` when it goes beyond the end, has no type or another CRC. */
function readChunk(bytes: Buffer, start: number): Chunk | undefined {
  if (bytes.length - start < 3 * FIELD_BYTES) return undefined;
  const length = bytes.readUInt32BE(start);
  const crcStart = start + 2 * FIELD_BYTES + length;
  const end = crcStart + FIELD_BYTES;
  if (end > bytes.length) return undefined;
  const typeAndData = bytes.subarray(start + FIELD_BYTES, crcStart);
  const type = typeAndData.toString('latin1', 0, FIELD_BYTES);
  if (!TYPE.test(type) || crc32(typeAndData) !== bytes.readUInt32BE(crcStart)) return undefined;
  return { type, length, end };
}

/** Whether bytes are a whole PNG and nothing else: intact chunks, the header first, an image, the end last (section 5.6). */
export function isPng(bytes: Buffer): boolean {
  if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return false;
  let chunk = readChunk(bytes, SIGNATURE.length);
  if (chunk?.type !== 'IHDR' || chunk.length !== HEADER_BYTES) return false;
  let hasImage = false;
  while (chunk && chunk.type !== 'IEND') {
    hasImage ||= chunk.type === 'IDAT' && chunk.length > 0;
    chunk = readChunk(bytes, chunk.end);
  }
  return hasImage && chunk?.length === 0 && chunk.end === bytes.length;
}
