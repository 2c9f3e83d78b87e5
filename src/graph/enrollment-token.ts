import { z } from 'zod';
import { ProblemError } from '../errors.ts';
import { Secret } from '../secret.ts';

/** The current token of a profile. Whoever holds its value, or either form of its QR code, can enroll a device. */
export type EnrollmentToken = Readonly<{
  /** Of the profile. */
  id: string;
  /** Of the profile, for the name of a file. */
  displayName: string;
  tokenValue: Secret;
  tokenCreationDateTime?: string;
  tokenExpirationDateTime: string;
  qrCodeContent: Secret;
  /** What Graph has for an image, in base64; not looked at yet. */
  qrCodeImage?: Secret;
}>;

const moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)));

const TokenFields = z.object({
  id: z.string().min(1),
  displayName: z.string().nullish(),
  tokenValue: z.string().nullish(),
  tokenCreationDateTime: moment.nullish(),
  tokenExpirationDateTime: moment.nullish(),
  qrCodeContent: z.string().nullish(),
  qrCodeImage: z.object({ value: z.string().nullish() }).nullish(),
});

/** `undefined` for a profile without a token. Throws ProblemError `upstream_invalid` for what is no profile. */
export function parseEnrollmentToken(json: unknown): EnrollmentToken | undefined {
  const fields = TokenFields.safeParse(json).data;
  if (!fields) throw new ProblemError('upstream_invalid');
  const { id, tokenValue, tokenCreationDateTime, tokenExpirationDateTime, qrCodeImage } = fields;
  if (!tokenValue) return undefined;
  if (!tokenExpirationDateTime) throw new ProblemError('upstream_invalid');
  return {
    id,
    displayName: fields.displayName ?? '',
    tokenValue: new Secret(tokenValue),
    ...(tokenCreationDateTime && { tokenCreationDateTime }),
    tokenExpirationDateTime,
    qrCodeContent: new Secret(fields.qrCodeContent ?? ''),
    ...(qrCodeImage?.value && { qrCodeImage: new Secret(qrCodeImage.value) }),
  };
}
