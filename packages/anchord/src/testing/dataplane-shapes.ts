/** Every kind of data plane that the options can ask for: what the golden rulesets are made of. */
import { parseIp } from '@berth/kernel/ip';
import { type DnatEntries, type DnatEntry, keyOf } from '../dataplane/desired.ts';
import type { DataplaneShape, ForwardFilter } from '../dataplane/ruleset.ts';
import { familyOf } from '../families.ts';
import type { Protocol } from '../labels.ts';

/** `tcp 25 172.30.0.5`, `udp 53 fd30::5 5353` */
function entryOf(text: string): DnatEntry {
  const [protocol, external = '', to = '', backend = external] = text.split(' ');
  const address = parseIp(to);
  return {
    family: familyOf(address),
    protocol: protocol as Protocol,
    externalPort: Number(external),
    address,
    backendPort: Number(backend),
    backend: { id: to, name: to },
  };
}

const entries = (...texts: readonly string[]): DnatEntries =>
  new Map(texts.map(entryOf).map((entry) => [keyOf(entry), entry]));

const contents: Readonly<Record<string, DnatEntries>> = {
  nothing: entries(),
  'one-port': entries('tcp 25 172.30.0.5'),
  'both-families': entries('tcp 25 172.30.0.5', 'tcp 25 fd30::5', 'udp 53 172.30.0.6', 'udp 53 fd30::6'),
  'v6-only': entries('tcp 443 fd30::7', 'udp 443 fd30::7'),
  translated: entries('tcp 636 172.30.0.8 6636', 'tcp 636 fd30::8 6636', 'udp 53 172.30.0.8 5353'),
  mixed: entries(
    'tcp 80 172.30.0.9 8080',
    'tcp 81 172.30.0.9',
    'tcp 80 fd30::9 8080',
    'udp 80 fd30::9',
    'udp 5060 172.30.0.10 60',
  ),
  'many-ports': entries(
    ...Array.from({ length: 20 }, (_, index) => `tcp ${1000 + index} 172.30.1.${index + 1}`),
    ...Array.from({ length: 20 }, (_, index) => `udp ${1000 + index} fd30::1:${index + 1} ${2000 + index}`),
  ),
};

const guards = ['local-address', 'external-interface'] as const;
const hairpins = ['by-interface', 'by-mark'] as const;
const filters: Readonly<Record<string, ForwardFilter>> = {
  filtered: { kind: 'external' },
  inner: { kind: 'inner', interfaces: ['eth1', 'eth2'] },
  open: { kind: 'off' },
};

export interface NamedDataplane {
  readonly name: string;
  readonly shape: DataplaneShape;
  readonly entries: DnatEntries;
}

const short = { 'local-address': 'local', 'external-interface': 'iface' } as const;

function* allDataplanes(): Generator<NamedDataplane> {
  for (const v4 of guards) {
    for (const v6 of guards) {
      for (const hairpin of hairpins) {
        for (const [filter, forwardFilter] of Object.entries(filters)) {
          for (const [content, ports] of Object.entries(contents)) {
            const name = `${short[v4]}-${short[v6]}-${hairpin}-${filter}-${content}`;
            const shape = { externalInterface: 'eth0', guard: { v4, v6 }, hairpin, forwardFilter };
            yield { name, shape, entries: ports };
          }
        }
      }
    }
  }
}

export const dataplanes: readonly NamedDataplane[] = [...allDataplanes()];
