/** Kinds of network addresses. */
import { isIPv4, isIPv6 } from 'node:net';
import { formatHostPort, type HostPort, parseHostPort } from '../host-port.ts';
import type { Kind } from './kind.ts';
import { nameOf, type SourceNode } from './source.ts';

/** At most one address of each family, in canonical text. */
export interface AddressPair {
  readonly v4?: string;
  readonly v6?: string;
}

/** A comma-separated list of addresses: at most one IPv4 and one IPv6, in any order. */
export function ipList(): Kind<AddressPair> {
  return {
    title: 'IP list',
    trims: true,
    jsonSchema: { type: 'string' },
    read(node, spot) {
      let pair: AddressPair = {};
      for (const item of writtenItems(node)) {
        const address = canonicalIp(item);
        if (address === undefined) return spot.fail(`${spot.name}="${item}" is not a valid IP`, node);
        const family = isIPv4(address) ? 'v4' : 'v6';
        if (pair[family] !== undefined) {
          return spot.fail(`${spot.name} lists more than one IP${family} address`, node);
        }
        pair = { ...pair, [family]: address };
      }
      return pair;
    },
    print: ({ v4, v6 }) => [v4, v6].filter((address) => address !== undefined).join(','),
  };
}

const writtenItems = (node: SourceNode): readonly string[] =>
  (node.type === 'scalar' ? node.text : nameOf(node))
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** One address, in canonical text. */
export function ip(): Kind<string> {
  return {
    title: 'IP',
    trims: true,
    jsonSchema: { type: 'string' },
    read(node, spot) {
      const written = node.type === 'scalar' ? node.text.trim() : nameOf(node);
      return canonicalIp(written) ?? spot.fail(`${spot.name}="${written}" is not a valid IP`, node);
    },
    print: (address) => address,
  };
}

/** `host:port`; the host may be empty (all interfaces), an IPv6 host stands in brackets. */
export function hostPort(): Kind<HostPort> {
  return {
    title: '`host:port`',
    trims: true,
    jsonSchema: { type: 'string' },
    read(node, spot) {
      const written = node.type === 'scalar' ? node.text.trim() : nameOf(node);
      const parsed = parseHostPort(written);
      return typeof parsed === 'string' ? spot.fail(`invalid ${spot.name}: ${parsed}`, node) : parsed;
    },
    print: formatHostPort,
  };
}

export interface UrlOptions {
  /** Without the colon: `unix`, `tcp`, `https`. */
  readonly schemes: readonly string[];
}

/** A URL, kept as it was written. */
export function url({ schemes }: UrlOptions): Kind<string> {
  return {
    title: `URL (${schemes.map((scheme) => `\`${scheme}://\``).join(', ')})`,
    trims: true,
    jsonSchema: { type: 'string', format: 'uri' },
    read(node, spot) {
      const written = node.type === 'scalar' ? node.text.trim() : nameOf(node);
      if (!URL.canParse(written)) return spot.fail(`invalid ${spot.name}: "${written}" is not a URL`, node);
      const scheme = new URL(written).protocol.slice(0, -1);
      if (schemes.includes(scheme)) return written;
      return spot.fail(
        `invalid ${spot.name}: the scheme must be ${schemes.join(' or ')}, not ${scheme}`,
        node,
      );
    },
    print: (written) => written,
  };
}

/** The one way to write an address; undefined when it is none. An IPv4 address in IPv6 clothes counts as IPv4. */
function canonicalIp(written: string): string | undefined {
  if (isIPv4(written)) return written;
  if (!isIPv6(written) || written.includes('%')) return undefined;
  const canonical = new URL(`http://[${written}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(canonical);
  if (mapped === null) return canonical;
  return mapped
    .slice(1)
    .flatMap((group) => {
      const bits = Number.parseInt(group, 16);
      return [bits >> 8, bits & 0xff];
    })
    .join('.');
}
