import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Logger } from '../log.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** More proxies stand in front of nobody. */
const MAX_HOPS = 32;

export type SourceAddress = Readonly<{
  /**
   * The address a request came from: the connection's own, or, while that is a trusted proxy's, the next one to the left in
   * `X-Forwarded-For`. What cannot be read as an address ends the walk at the last trusted hop, and so do 32 hops. `unknown`
   * without one.
   */
  read: (remoteAddress: string | undefined, rawHeaders: readonly string[]) => string;
  /** Whether the connection comes from a trusted proxy, whose other `X-Forwarded-…` fields are then believed too. */
  isTrusted: (remoteAddress: string | undefined) => boolean;
}>;

export type SourceAddressOptions = Readonly<{
  /** Addresses or CIDRs. */
  trustedProxies: readonly string[];
  log: Logger;
}>;

/** The other end of a connection. */
type Peer = Readonly<{
  remoteAddress: string;
  address: Address | undefined;
  text: string;
  isTrusted: boolean;
}>;

/** Throws a RangeError for a trusted proxy that is neither an address nor a CIDR. */
export function createSourceAddress({ trustedProxies, log }: SourceAddressOptions): SourceAddress {
  const ranges = trustedProxies.map(parseRange);
  const isTrustedAddress = (address: Address): boolean => ranges.some((range) => contains(range, address));
  let warned = false;
  let last: Peer | undefined;

  /** Requests come in a row from one connection, or from one proxy: the one before is known. */
  const readPeer = (remoteAddress: string): Peer => {
    if (last?.remoteAddress === remoteAddress) return last;
    const address = readAddress(remoteAddress);
    last = {
      remoteAddress,
      address,
      text: address === undefined ? 'unknown' : toText(address),
      isTrusted: address !== undefined && isTrustedAddress(address),
    };
    return last;
  };

  const warnOnce = (address: string): void => {
    if (warned) return;
    warned = true;
    log.warn(
      'X-Forwarded-For came over a connection that is not in TRUSTED_PROXIES and is ignored: everyone behind that proxy shares one address.',
      { address },
    );
  };

  return {
    read: (remoteAddress, rawHeaders) => {
      const peer = readPeer(remoteAddress ?? '');
      if (!peer.isTrusted) {
        if (!warned && peer.address && !readHops(rawHeaders).next().done) warnOnce(peer.text);
        return peer.text;
      }
      let source: Address | undefined;
      for (const hop of readHops(rawHeaders)) {
        const next = readHop(hop);
        if (next === undefined) break;
        source = next;
        if (!isTrustedAddress(next)) break;
      }
      return source === undefined ? peer.text : toText(source);
    },
    isTrusted: (remoteAddress) => readPeer(remoteAddress ?? '').isTrusted,
  };
}

/** The key of the address tier: an IPv4 address, or the /56 an IPv6 customer is commonly given, all of which is one caller's. */
export function toAddressKey(address: string): string {
  if (isIP(address) === 4) return address;
  const parsed = readAddress(address);
  if (parsed === undefined || parsed.kind() === 'ipv4') return address;
  return `${toText(ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/56`))}/56`;
}

/**
 * The elements of `X-Forwarded-For` from the right, without the empty ones, which count for nothing (RFC 9110 section
 * 5.6.1.2); several field lines are one list, in order (section 5.3). At most {@link MAX_HOPS}, empty ones included: the walk
 * stands before every limit.
 */
function* readHops(rawHeaders: readonly string[]): Generator<string, void> {
  let left = MAX_HOPS;
  for (let index = rawHeaders.length - 1; index > 0; index -= 2) {
    if (rawHeaders[index - 1]?.toLowerCase() !== 'x-forwarded-for') continue;
    const value = rawHeaders[index] ?? '';
    for (let end = value.length; end >= 0 && left > 0; left -= 1) {
      const comma = end === 0 ? -1 : value.lastIndexOf(',', end - 1);
      const hop = value.slice(comma + 1, end).trim();
      if (hop !== '') yield hop;
      end = comma;
    }
  }
}

/** `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`. */
function readHop(hop: string): Address | undefined {
  const host = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(hop)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(hop)?.[1] ?? hop;
  return readAddress(host);
}

/** Without zone, and an IPv4 address where it is written as an IPv4-mapped IPv6 one. */
function readAddress(text: string): Address | undefined {
  const bare = text.includes('%') ? text.replace(/%.*$/, '') : text;
  return isIP(bare) === 0 ? undefined : ipaddr.process(bare); // isIP first: ipaddr.js alone takes 0x7f.1 and 010.0.0.1
}

function toText(address: Address): string {
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}

type Range = readonly [Address, number];

function parseRange(text: string): Range {
  const [host = '', prefix, ...rest] = text.trim().split('/');
  const whole = isIP(host) === 4 ? 32 : 128;
  const bits = prefix === undefined ? whole : Number(prefix);
  const address = readAddress(host);
  const mapped = address?.kind() === 'ipv4' && whole === 128 ? 96 : 0; // ::ffff:192.0.2.0/120 is 192.0.2.0/24
  const wellFormed = rest.length === 0 && (prefix === undefined || /^\d{1,3}$/.test(prefix));
  if (address === undefined || !wellFormed || bits > whole || bits < mapped) {
    throw new RangeError(`"${text}" in TRUSTED_PROXIES is neither an IP address nor a CIDR`);
  }
  return [address, bits - mapped];
}

function contains([network, bits]: Range, address: Address): boolean {
  if (network instanceof ipaddr.IPv4) return address instanceof ipaddr.IPv4 && address.match(network, bits);
  return address instanceof ipaddr.IPv6 && address.match(network, bits);
}
