import type { Kind } from './kind.ts';

/** As long as the output of SHA-256 (RFC 2104 section 3). */
const MINIMUM_BYTES = 32;

/** The text stays base64 (RFC 4648 section 4); padding may be left out. */
export const hmacKey: Kind<string> = {
  expected: `at least ${MINIMUM_BYTES} bytes in base64`,
  read: (text) => {
    const bytes = Buffer.from(text, 'base64');
    const isBase64 = bytes.toString('base64').replace(/=+$/, '') === text.replace(/={0,2}$/, '');
    return isBase64 && bytes.length >= MINIMUM_BYTES ? text : undefined;
  },
};
