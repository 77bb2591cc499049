/** Addresses to listen on or to reach, as `host:port`. */

export interface HostPort {
  /** A name or an address without brackets; empty means every interface. */
  readonly host: string;
  readonly port: number;
}

/** The parts, or what is wrong with the text. */
export function parseHostPort(text: string): HostPort | string {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return `"${text}" is not host:port (an IPv6 address stands in brackets)`;
  const [, bracketed, plain = '', digits = ''] = match;
  const port = Number(digits);
  if (port > 65_535) return `"${text}" has a port above 65535`;
  return { host: bracketed ?? plain, port };
}

export const formatHostPort = ({ host, port }: HostPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
