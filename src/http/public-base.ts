import type { IncomingMessage } from 'node:http';

/**
 * The address under which a caller knows this service, for links in answers: no trailing slash. Empty when the caller's `Host` is no
 * host (RFC 3986 section 3.2.2); a link is then a path alone, which a client resolves by itself.
 */
export type ReadPublicBase = (request: IncomingMessage) => string;

type PublicBaseOptions = Readonly<{
  /** What the settings name outranks every header. */
  publicBaseUrl?: string | undefined;
  /** Whether a connection comes from a proxy whose `X-Forwarded-Proto` and `-Host` are believed. */
  isTrusted: (remoteAddress: string | undefined) => boolean;
}>;

/** With the underscore, which Docker Compose and DNS itself have in names, and with the dot at the end of a whole one. */
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*\\.?|\\[[0-9a-f:.]{2,45}\\])(?::\\d{1,5})?$`, 'i');
const LONGEST_HOST = 260;

/** The last item: what the nearest proxy wrote. */
function readLast(header: string | string[] | undefined): string | undefined {
  return [header ?? []].flat().join(',').split(',').at(-1)?.trim();
}

const isHost = (text: string | undefined): text is string =>
  text !== undefined && text.length <= LONGEST_HOST && HOST.test(text);

export function createPublicBase({ publicBaseUrl, isTrusted }: PublicBaseOptions): ReadPublicBase {
  return ({ headers, socket }) => {
    if (publicBaseUrl !== undefined) return publicBaseUrl;
    const believed = isTrusted(socket.remoteAddress);
    const forwardedHost = believed ? readLast(headers['x-forwarded-host']) : undefined;
    const forwardedProto = believed ? readLast(headers['x-forwarded-proto'])?.toLowerCase() : undefined;
    const host = forwardedHost || headers.host;
    const own = 'encrypted' in socket ? 'https' : 'http';
    const proto = forwardedProto === 'https' || forwardedProto === 'http' ? forwardedProto : own;
    return isHost(host) ? `${proto}://${host}` : '';
  };
}
