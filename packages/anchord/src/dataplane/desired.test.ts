import { parseIpv4, parseIpv6 } from '@berth/kernel/ip';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../discovery/index.ts';
import type { ExposedPort } from '../labels.ts';
import { type DnatEntries, desiredDataplane, sameDataplane } from './desired.ts';
import { abandonedAddresses, handOver } from './hand-over.ts';

const nothing: DnatEntries = new Map();

const tcp = (externalPort: number, backendPort = externalPort): ExposedPort => ({
  protocol: 'tcp',
  externalPort,
  backendPort,
});

const backend = (name: string, changes: Partial<Backend> = {}): Backend => ({
  id: `${name}-id`,
  name,
  createdAtMs: 0,
  ipv4: parseIpv4('10.0.0.1'),
  ipv6: undefined,
  ports: [tcp(25)],
  ...changes,
});

const entriesOf = (...backends: readonly Backend[]) => desiredDataplane(backends, nothing).entries;

describe('desired data plane', () => {
  it('leads each port of each family that the backend has an address in', () => {
    const entries = entriesOf(
      backend('a', { ipv6: parseIpv6('fd::1'), ports: [tcp(25), tcp(587, 2587)] }),
      backend('b', { ipv4: undefined, ipv6: parseIpv6('fd::2'), ports: [{ ...tcp(53), protocol: 'udp' }] }),
    );
    expect(Array.from(entries, ([key, e]) => `${key} → ${e.address} ${e.backendPort}`)).toEqual([
      'v4/tcp/25 → 10.0.0.1 25',
      'v4/tcp/587 → 10.0.0.1 2587',
      'v6/tcp/25 → fd::1 25',
      'v6/tcp/587 → fd::1 2587',
      'v6/udp/53 → fd::2 53',
    ]);
  });

  it('gives a port that nobody holds to the oldest container, and names everyone', () => {
    const old = backend('old', { createdAtMs: 1, ipv4: parseIpv4('10.0.0.1') });
    const young = backend('young', {
      createdAtMs: 2,
      ipv4: parseIpv4('10.0.0.2'),
      ports: [tcp(25), tcp(80)],
    });
    const { entries, conflicts } = desiredDataplane([young, old], nothing);
    expect(entries.get('v4/tcp/25')?.backend.name).toBe('old');
    expect(entries.get('v4/tcp/80')?.backend.name).toBe('young');
    expect(conflicts).toEqual([
      {
        key: 'v4/tcp/25',
        holder: { id: 'old-id', name: 'old' },
        refused: [{ id: 'young-id', name: 'young' }],
      },
    ]);
  });

  it('leaves a port with who holds it, even to an older newcomer', () => {
    const holder = backend('holder', { createdAtMs: 2 });
    const newcomer = backend('newcomer', { createdAtMs: 1, ipv4: parseIpv4('10.0.0.2') });
    const before = entriesOf(holder);
    const after = desiredDataplane([newcomer, holder], before);
    expect(after.entries.get('v4/tcp/25')?.backend.name).toBe('holder');
    expect(after.conflicts).toMatchObject([{ refused: [{ name: 'newcomer' }] }]);
  });

  it('hands the port on when its holder goes', () => {
    const before = entriesOf(backend('holder'));
    const after = desiredDataplane([backend('next', { ipv4: parseIpv4('10.0.0.2') })], before);
    expect(after).toMatchObject({ conflicts: [] });
    expect(after.entries.get('v4/tcp/25')?.backend.name).toBe('next');
  });

  it('lets one backend have the port in IPv4 and another in IPv6 when neither has both', () => {
    const four = backend('four');
    const six = backend('six', { ipv4: undefined, ipv6: parseIpv6('fd::6') });
    expect(desiredDataplane([four, six], nothing)).toMatchObject({ conflicts: [] });
  });

  const anyBackend = fc
    .record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      createdAtMs: fc.integer({ min: 0, max: 3 }),
      ipv4: fc.option(fc.constantFrom(...['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(parseIpv4)), {
        nil: undefined,
      }),
      ipv6: fc.option(fc.constantFrom(...['fd::1', 'fd::2'].map(parseIpv6)), { nil: undefined }),
      ports: fc.uniqueArray(
        fc.record({
          protocol: fc.constantFrom('tcp' as const, 'udp' as const),
          externalPort: fc.integer({ min: 1, max: 4 }),
          backendPort: fc.integer({ min: 1, max: 4 }),
        }),
        { maxLength: 5, selector: (p) => `${p.protocol}${p.externalPort}` },
      ),
    })
    .map((record): Backend => ({ ...record, name: record.id }));
  const anyBackends = fc.uniqueArray(anyBackend, { selector: ({ id }) => id });

  it('comes out the same whatever the order, and stays as it is when asked again', () => {
    fc.assert(
      fc.property(anyBackends, anyBackends, fc.nat(), (earlier, backends, turn) => {
        const before = desiredDataplane(earlier, nothing).entries;
        const once = desiredDataplane(backends, before);
        const at = turn % (backends.length + 1);
        const turned = desiredDataplane([...backends.slice(at), ...backends.slice(0, at)].reverse(), before);
        expect([...turned.entries]).toEqual([...once.entries]);
        expect(turned.conflicts).toEqual(once.conflicts);
        const again = desiredDataplane(backends, once.entries);
        expect(sameDataplane(again.entries, once.entries)).toBe(true);
        expect(handOver(once.entries, again.entries)).toEqual([]);
      }),
    );
  });

  it('serves every claimed port, and never moves one whose holder still claims it unchanged', () => {
    fc.assert(
      fc.property(anyBackends, anyBackends, (earlier, backends) => {
        const before = desiredDataplane(earlier, nothing).entries;
        const { entries, conflicts } = desiredDataplane(backends, before);
        const claims = backends.flatMap((one) => [...entriesOf(one)]);
        expect(new Set(entries.keys())).toEqual(new Set(claims.map(([key]) => key)));
        for (const [key, entry] of claims) {
          if (before.get(key)?.backend.id === entry.backend.id) {
            expect(entries.get(key)?.backend.id).toBe(entry.backend.id);
          }
        }
        const refused = conflicts.reduce((sum, conflict) => sum + conflict.refused.length, 0);
        expect(claims.length).toBe(entries.size + refused);
      }),
    );
  });
});

describe('hand-over of flows', () => {
  it('forgets what led to a changed address or port, and what came to a port before it was served', () => {
    const before = entriesOf(
      backend('a', { ports: [tcp(1), tcp(2), tcp(3), tcp(4)] }),
      backend('b', { ipv4: parseIpv4('10.0.0.2'), ports: [tcp(5)] }),
    );
    const after = entriesOf(
      backend('a', { ports: [tcp(1), tcp(2, 22)] }),
      backend('c', { ipv4: parseIpv4('10.0.0.3'), ports: [tcp(3), tcp(6)] }),
    );
    const flows = handOver(before, after);
    expect(
      flows.map((f) => `${f.kind} ${f.externalPort} ${f.kind === 'abandoned' ? f.address : ''}`),
    ).toEqual([
      'abandoned 2 10.0.0.1',
      'abandoned 3 10.0.0.1',
      'abandoned 4 10.0.0.1',
      'abandoned 5 10.0.0.2',
      'unserved 6 ',
    ]);
    expect(abandonedAddresses(flows)).toEqual([
      { family: 'v4', address: '10.0.0.1' },
      { family: 'v4', address: '10.0.0.2' },
    ]);
  });

  it('forgets nothing when only the container behind an address changed', () => {
    expect(handOver(entriesOf(backend('a')), entriesOf(backend('b')))).toEqual([]);
  });
});
