import type { Kind } from './kind.ts';

function readUrl(text: string, schemes: readonly string[]): URL | undefined {
  if (!/^[a-z]+:\/\/[^\s\\*]+$/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return schemes.includes(url.protocol.slice(0, -1)) && url.hostname !== '' ? url : undefined;
}

/** No user, path, query or fragment. */
function isOrigin(url: URL): boolean {
  return url.href === `${url.origin}/`;
}

/** An https origin; a trailing slash, as the AKS webhook writes it, is taken off. */
export const httpsOrigin: Kind<string> = {
  expected: 'an https origin without a path, such as https://login.microsoftonline.com',
  read: (text) => {
    const url = readUrl(text, ['https']);
    return url !== undefined && isOrigin(url) ? url.origin : undefined;
  },
};

/** An origin exactly as browsers send it (RFC 6454 section 6.2). */
export const browserOrigin: Kind<string> = {
  expected: 'an origin such as https://app.example.com, without a path or *',
  read: (text) => {
    const url = readUrl(text, ['http', 'https']);
    return url !== undefined && isOrigin(url) && !text.endsWith('/') ? url.origin : undefined;
  },
};

/** An address that paths are appended to: without a trailing slash. */
export const baseUrl: Kind<string> = {
  expected: 'an http or https URL without user, query and fragment',
  read: (text) => {
    const url = readUrl(text, ['http', 'https']);
    if (url === undefined || url.href !== `${url.origin}${url.pathname}`) return undefined;
    return url.href.replace(/\/+$/, '');
  },
};

/** A URL that may hold credentials. */
export function serverUrl(...schemes: readonly string[]): Kind<string> {
  return {
    expected: `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    read: (text) => (readUrl(text, schemes) === undefined ? undefined : text),
  };
}
