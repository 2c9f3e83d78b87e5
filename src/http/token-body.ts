import type { ReadableToken } from '../enrollment/read-token.ts';

/** A QR code as Graph writes one. */
export const toQrCodeBody = ({ qrCode }: Pick<ReadableToken, 'qrCode'>) => ({
  type: 'image/png',
  value: qrCode.toString('base64'),
});

/** The token as the caller gets it: here, and nowhere else, its secrets are revealed. */
export const toTokenBody = (token: ReadableToken) => ({
  id: token.id,
  tokenValue: token.tokenValue.reveal(),
  ...(token.tokenCreationDateTime !== undefined && { tokenCreationDateTime: token.tokenCreationDateTime }),
  tokenExpirationDateTime: token.tokenExpirationDateTime,
  qrCodeContent: token.qrCodeContent.reveal(),
  qrCodeImage: toQrCodeBody(token),
});
