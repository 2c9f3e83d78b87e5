const LONGEST_NAME = 60;
const SUFFIX = '-qr-code.png';
const NAMELESS = 'enrollment-profile';

const tidy = (name: string): string =>
  name
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/-{2,}/g, '-')
    .slice(0, LONGEST_NAME)
    .replaceAll(/^[-. ]+|[-. ]+$/g, '');

/** Letters without their accents, digits and what is harmless in every shell and file system. */
const toAscii = (name: string): string =>
  tidy(
    name
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .replaceAll(/[^a-z0-9._-]+/gi, '-'),
  );

/** Any script; no control and no direction marks, nothing that means something in a path, no lone surrogate. */
const toReadable = (name: string): string =>
  tidy(name.normalize('NFC').replaceAll(/[\p{C}/\\:*?"<>|%]+/gu, '-')).replaceAll(/\p{Cs}/gu, '');

/** RFC 8187 section 3.2.1: what encodeURIComponent leaves although it is no attr-char. */
const toExtValue = (name: string): string =>
  `UTF-8''${encodeURIComponent(name).replaceAll(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)}`;

/** `Content-Disposition` (RFC 6266) of a QR code, with a file name after the profile it belongs to. */
export function toContentDisposition(displayName: string): string {
  const ascii = `${toAscii(displayName) || NAMELESS}${SUFFIX}`;
  const readable = `${toReadable(displayName) || NAMELESS}${SUFFIX}`;
  const plain = `attachment; filename="${ascii}"`;
  return ascii === readable ? plain : `${plain}; filename*=${toExtValue(readable)}`;
}
