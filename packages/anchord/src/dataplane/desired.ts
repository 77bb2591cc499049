/** What the kernel should do: each external port of each family leads to exactly one backend. */
import type { IpAddress } from '@berth/kernel/ip';
import type { Backend } from '../discovery/index.ts';
import { type Family, families } from '../families.ts';
import { type Protocol, protocols } from '../labels.ts';
import { onceFor } from '../once-for.ts';

export type EntryKey = `${Family}/${Protocol}/${number}`;

/** One port on the external address and where it leads. */
export interface DnatEntry {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly externalPort: number;
  readonly address: IpAddress;
  readonly backendPort: number;
  readonly backend: BackendName;
}

interface BackendName {
  readonly id: string;
  readonly name: string;
}

/** By key, in one order for one content: by family, protocol, port. */
export type DnatEntries = ReadonlyMap<EntryKey, DnatEntry>;

/** Several backends want one port. One has it; the others are refused this port, and keep their other ones. */
interface PortConflict {
  readonly key: EntryKey;
  readonly holder: BackendName;
  readonly refused: readonly BackendName[];
}

export interface DesiredDataplane {
  readonly entries: DnatEntries;
  readonly conflicts: readonly PortConflict[];
}

/**
 * Who held a port keeps it (`current` says who that is), so that a newcomer never takes a running service's traffic away.
 * Where nobody holds it, the oldest container wins: after a restart of ours it comes out the same way.
 */
export function desiredDataplane(backends: Iterable<Backend>, current: DnatEntries): DesiredDataplane {
  const claims = new Map<EntryKey, [Claim, ...Claim[]]>();
  for (const backend of backends) {
    for (const claim of claimsOf(backend)) {
      const rivals = claims.get(claim.key);
      if (rivals === undefined) claims.set(claim.key, [claim]);
      else rivals.push(claim);
    }
  }

  const entries = new Map<EntryKey, DnatEntry>();
  const conflicts: PortConflict[] = [];
  for (const rivals of Array.from(claims.values()).sort(byPlace)) {
    const { key } = rivals[0];
    if (rivals.length === 1) {
      entries.set(key, rivals[0].entry);
      continue;
    }
    const [winner = rivals[0], ...refused] = ranked(rivals, current.get(key)?.backend.id);
    entries.set(key, winner.entry);
    conflicts.push({
      key,
      holder: winner.entry.backend,
      refused: refused.map(({ entry }) => entry.backend),
    });
  }
  return { entries, conflicts };
}

interface Claim {
  readonly key: EntryKey;
  readonly entry: DnatEntry;
  readonly createdAtMs: number;
  /** Where the entry stands among all entries. */
  readonly place: number;
}

/** The same values for the same backend: of many few change, and what is the same need not be compared in depth. */
const claimsOf = onceFor((backend: Backend): readonly Claim[] =>
  Array.from(entriesOf(backend), (entry) => ({
    key: keyOf(entry),
    entry,
    createdAtMs: backend.createdAtMs,
    place:
      (families.indexOf(entry.family) * protocols.length + protocols.indexOf(entry.protocol)) * 0x1_0000 +
      entry.externalPort,
  })),
);

const byPlace = (a: readonly [Claim, ...unknown[]], b: readonly [Claim, ...unknown[]]): number =>
  a[0].place - b[0].place;

const ranked = (rivals: readonly Claim[], holder: string | undefined): readonly Claim[] =>
  rivals.toSorted(
    (a, b) => Number(b.entry.backend.id === holder) - Number(a.entry.backend.id === holder) || byAge(a, b),
  );

function* entriesOf({ id, name, ports, ...addresses }: Backend): Generator<DnatEntry> {
  const backend = { id, name };
  for (const { protocol, externalPort, backendPort } of ports) {
    for (const family of families) {
      const address = family === 'v4' ? addresses.ipv4 : addresses.ipv6;
      if (address !== undefined) {
        yield { family, protocol, externalPort, address, backendPort, backend };
      }
    }
  }
}

export const keyOf = ({ family, protocol, externalPort }: Omit<DnatEntry, 'address' | 'backend'>): EntryKey =>
  `${family}/${protocol}/${externalPort}`;

const byAge = (a: Claim, b: Claim): number =>
  a.createdAtMs - b.createdAtMs || compareText(a.entry.backend.id, b.entry.backend.id);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Does the kernel have to do anything else than before? Who stands behind an address is no matter to it. */
export function sameDataplane(a: DnatEntries, b: DnatEntries): boolean {
  if (a.size !== b.size) return false;
  for (const [key, entry] of a) {
    const other = b.get(key);
    if (other === undefined || other.address !== entry.address || other.backendPort !== entry.backendPort) {
      return false;
    }
  }
  return true;
}
