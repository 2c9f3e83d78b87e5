import { toBuffer } from 'qrcode';
import type { EnrollmentToken } from '../graph/enrollment-token.ts';

/** ISO/IEC 15948 section 5.2, and the chunk that must come first (section 5.6). */
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const FIRST_CHUNK = Buffer.from('\0\0\0\rIHDR', 'latin1');
const HEAD = Buffer.concat([SIGNATURE, FIRST_CHUNK]);

const isPng = (bytes: Buffer): boolean => bytes.subarray(0, HEAD.length).equals(HEAD);

/** Modules of white around the code; ISO/IEC 18004 section 9.1 asks for four. */
const QUIET_ZONE = 4;
/** Pixels a module; a phone reads it off a screen. */
const MODULE_SIZE = 6;

/**
 * The QR code of a token as a PNG: Graph's image if it is one, else drawn from the content. `undefined` when there is neither,
 * or when the content is longer than a QR code holds.
 */
export async function readQrCode({
  qrCodeImage,
  qrCodeContent,
}: Pick<EnrollmentToken, 'qrCodeImage' | 'qrCodeContent'>): Promise<Buffer | undefined> {
  const image = Buffer.from(qrCodeImage?.reveal() ?? '', 'base64');
  if (isPng(image)) return image;
  const content = qrCodeContent.reveal();
  if (content === '') return undefined;
  try {
    return await toBuffer(content, {
      type: 'png',
      errorCorrectionLevel: 'L',
      margin: QUIET_ZONE,
      scale: MODULE_SIZE,
    });
  } catch {
    return undefined;
  }
}
