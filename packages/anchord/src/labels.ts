/** The labels by which a container says which of its ports the LAN may reach. */

export const exposeLabel = 'anchord.expose';
export const exposeV6Label = 'anchord.expose.v6';

/** Of a label that somebody wrote; one that a program made has thousands, and nobody reads more. */
const mostContradictions = 20;

export const protocols = ['tcp', 'udp'] as const;
export type Protocol = (typeof protocols)[number];

/** One port on the external address, and the port behind it on the backend. */
export interface ExposedPort {
  readonly protocol: Protocol;
  readonly externalPort: number;
  readonly backendPort: number;
}

export type ExposeLabels =
  /** No label, or a blank one: not a backend, and nothing to say about it. */
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly error: string }
  | {
      readonly kind: 'exposed';
      /** One entry for each protocol and external port, in the order in which they first appear. */
      readonly ports: readonly ExposedPort[];
      readonly mirrorToIpv6: boolean;
      /** External ports that the label gives two different backend ports; the later one counts. The first few of them. */
      readonly contradictions: readonly string[];
    };

export function parseExposeLabels(labels: Readonly<Record<string, string>>): ExposeLabels {
  const value = labels[exposeLabel]?.trim() ?? '';
  if (value === '') return { kind: 'none' };
  const entries = value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (entries.length === 0) return { kind: 'invalid', error: `${exposeLabel} set but empty` };

  const ports = new Map<string, ExposedPort>();
  const contradictions = new Set<string>();
  for (const entry of entries) {
    const port = parseEntry(entry);
    if (typeof port === 'string') {
      return { kind: 'invalid', error: `${exposeLabel} ${quote(entry)}: ${port}` };
    }
    const key = `${port.protocol}/${port.externalPort}`;
    const earlier = ports.get(key);
    if (earlier !== undefined && earlier.backendPort !== port.backendPort) contradictions.add(key);
    ports.set(key, port);
  }

  const mirror = parseMirroring(labels[exposeV6Label]);
  if (mirror === undefined) return { kind: 'invalid', error: `${exposeV6Label} must be auto|off` };
  return {
    kind: 'exposed',
    ports: [...ports.values()],
    mirrorToIpv6: mirror,
    contradictions: [...contradictions].slice(0, mostContradictions),
  };
}

/** `proto/port[:port]`; an error comes back as its text. */
function parseEntry(entry: string): ExposedPort | string {
  const slash = entry.indexOf('/');
  if (slash < 0) return 'expected proto/port (e.g. tcp/25)';
  const name = entry.slice(0, slash).trim();
  const protocol = protocols.find((known) => known === name.toLowerCase());
  if (protocol === undefined) return `unsupported proto ${quote(name)} (tcp|udp)`;

  const rest = entry.slice(slash + 1);
  const colon = rest.indexOf(':');
  const externalText = (colon < 0 ? rest : rest.slice(0, colon)).trim();
  const external = parsePort(externalText);
  if (typeof external === 'string') return `invalid dmz port ${quote(externalText)}: ${external}`;
  if (colon < 0) return { protocol, externalPort: external, backendPort: external };

  const backendText = rest.slice(colon + 1).trim();
  const backend = parsePort(backendText);
  if (typeof backend === 'string') return `invalid backend port ${quote(backendText)}: ${backend}`;
  return { protocol, externalPort: external, backendPort: backend };
}

function parsePort(text: string): number | string {
  if (text === '') return 'empty port';
  if (!/^[0-9]+$/.test(text)) return 'not a 16-bit integer';
  const port = Number(text);
  if (port > 0xffff) return 'not a 16-bit integer';
  return port === 0 ? 'port 0 is reserved' : port;
}

function parseMirroring(label: string | undefined): boolean | undefined {
  switch (label?.trim().toLowerCase() ?? '') {
    case '':
    case 'auto':
      return true;
    case 'off':
    case 'false':
    case 'no':
    case '0':
      return false;
    default:
      return undefined;
  }
}

/** The label came from a user: quoted and escaped, it can not break out of a log line; cut, it can not fill one. */
const quote = (text: string): string =>
  JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text);

const longestQuote = 80;
