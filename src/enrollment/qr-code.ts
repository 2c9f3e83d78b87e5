import type { EnrollmentToken } from '../graph/enrollment-token.ts';
import { isPng } from './png.ts';

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
    // Loaded by who needs it: Graph has an image nearly always, and this takes 3 MB.
    const { toBuffer } = await import('qrcode');
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
