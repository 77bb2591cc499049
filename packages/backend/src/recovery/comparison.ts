/** Leases and containers side by side: what does not fit together. Pure. */
import { expectedContainers, type Lease } from '../lease/index.ts';
import type { Message } from '../leases/index.ts';
import { deathAmong, isAlive, type LeaseContainer } from '../workload/index.ts';

export interface Finding {
  readonly lease: string;
  readonly message: Message;
}

export interface Compared {
  /** The leases as they were when the containers were listed; one that has changed since is left out. */
  readonly leases: Iterable<Lease>;
  readonly containers: readonly LeaseContainer[];
  /** At the start nobody has been watching: a death is a fact then, and nobody is told of it. */
  readonly atStart: boolean;
  readonly isKnown: (lease: string) => boolean;
}

export function compare({ leases, containers, atStart, isKnown }: Compared): readonly Finding[] {
  const byLease = Map.groupBy(containers, ({ lease }) => lease);
  const findings: Finding[] = [];
  for (const lease of leases) {
    const mine = byLease.get(lease.uuid) ?? [];
    const live = mine.filter(({ setAside }) => !setAside);
    const message = lease.operation === undefined ? messageFor(lease, live, atStart) : undefined;
    if (message !== undefined) findings.push({ lease: lease.uuid, message });
    if (lease.operation === undefined && (lease.leftover === true || live.length < mine.length))
      findings.push({ lease: lease.uuid, message: { kind: 'tidy' } });
  }
  for (const uuid of byLease.keys())
    if (uuid !== '' && !isKnown(uuid)) findings.push({ lease: uuid, message: { kind: 'adopt' } });
  return findings;
}

function messageFor(lease: Lease, live: readonly LeaseContainer[], atStart: boolean): Message | undefined {
  if (lease.status !== 'ready' && lease.status !== 'unknown') return undefined;
  if (live.length === 0 && expectedContainers(lease) > 0)
    return { kind: 'fact', event: { name: 'ContainersRemoved' }, basis: lease, logs: {} };
  const suspect = deathAmong(lease, live);
  if (lease.status === 'unknown') return judgeUnknown(lease, live, suspect !== undefined);
  if (suspect === undefined) return undefined;
  const { service, index, containerId } = suspect;
  const what = containerId === '' ? 'is missing' : 'has ended';
  const detail = `${service}/${index} ${what}, found so at start`;
  return atStart
    ? { kind: 'fact', event: { name: 'FoundDead', detail }, basis: lease, logs: {} }
    : { kind: 'death', suspect };
}

function judgeUnknown(lease: Lease, live: readonly LeaseContainer[], dead: boolean): Message | undefined {
  if (dead) return { kind: 'fact', event: { name: 'FoundDead', detail: '' }, basis: lease, logs: {} };
  const alive = live.every(({ status }) => isAlive(status));
  return alive ? { kind: 'fact', event: { name: 'FoundReady' }, basis: lease, logs: {} } : undefined;
}
