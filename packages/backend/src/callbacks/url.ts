import { isIP, isIPv4 } from 'node:net';

/** Why a URL cannot be called back, or undefined if it can. Names are not resolved for this. */
export function callbackUrlProblem(text: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https')
    return URL.canParse(text) || scheme === undefined ? 'scheme must be http or https' : 'malformed URL';
  // Looked for in the text, because the parser makes up for missing slashes.
  const [, authority = ''] = /^https?:\/\/([^/?#]*)/i.exec(text) ?? [];
  if (authority.replace(/^.*@/, '').replace(/:\d*$/, '') === '') return 'host is required';
  if (!URL.canParse(text)) return 'malformed URL';
  const { hostname } = new URL(text);
  return isLinkLocal(hostname.replace(/^\[|\]$/g, '')) ? 'link-local addresses are not allowed' : undefined;
}

function isLinkLocal(host: string): boolean {
  if (isIPv4(host)) return /^(169\.254|224\.0\.0)\./.test(host);
  if (isIP(host) !== 6) return false;
  const [first = '0'] = host.split(':');
  const group = Number.parseInt(first === '' ? '0' : first, 16);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(host);
  if (mapped !== null) return isLinkLocal(dotted(mapped[1] ?? '', mapped[2] ?? ''));
  return (group & 0xffc0) === 0xfe80 || (group & 0xff0f) === 0xff02;
}

/** The IPv4 address in the last two groups of a mapped one. */
function dotted(high: string, low: string): string {
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
}
