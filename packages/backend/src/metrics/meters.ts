/** Where the parts of the program count: each its own few functions, all on one registry. */
import type { Instruments, Registry } from '@berth/service/metrics';
import { type LeaseState, leaseEvents, leaseStates } from '../lease/index.ts';
import type { LeaseMeter } from '../leases/index.ts';
import type { PoolUsage } from '../placement/index.ts';
import { type backendMetrics, droppedOutcomes } from './table.ts';

export type BackendInstruments = Instruments<typeof backendMetrics>;

type Event = (typeof leaseEvents)[number];

const stateNamed = (name: string): LeaseState => leaseStates.find((state) => state === name) ?? 'unknown';

/** A new lease has always been counted as one that goes on provisioning. */
function countedFrom(from: string, event: string): LeaseState {
  return from === 'none' && event === 'ProvisionRequested' ? 'provisioning' : stateNamed(from);
}

const snake = (event: string): string => event.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();

export function leaseMeter(metrics: BackendInstruments): LeaseMeter {
  return {
    transition: (from, to, event) => {
      const known = leaseEvents.find((name): name is Event => name === event);
      if (known !== undefined)
        metrics.transitions.inc({ from: countedFrom(from, event), to: stateNamed(to), event: known });
    },
    actorCreated: () => metrics.actorsCreated.inc(),
    actorPanicked: () => metrics.actorPanics.inc(),
    workPanicked: (kind) => {
      if (kind !== 'deprovision') metrics.workPanics.inc({ worker_type: kind });
    },
    outcomeDropped: (event) => {
      const known = droppedOutcomes.find((name) => name === snake(event));
      if (known !== undefined) metrics.outcomesDropped.inc({ event: known });
    },
    deathDropped: (source) => metrics.deathsDropped.inc({ source }),
  };
}

/** Values that are worked out only when somebody looks. */
export interface Gauged {
  readonly usage: () => PoolUsage;
  readonly readyLeases: () => number;
  readonly retainedDiskCapMb: number;
}

const mib = 1024 * 1024;

export function collectGauges(registry: Registry, metrics: BackendInstruments, gauged: Gauged): void {
  registry.onCollect(() => {
    const { total, allocated } = gauged.usage();
    metrics.cpuRatio.set(allocated.cpuCores / total.cpuCores);
    metrics.memoryRatio.set(allocated.memoryMb / total.memoryMb);
    metrics.diskRatio.set(allocated.diskMb / total.diskMb);
    metrics.diskPoolBytes.set(total.diskMb * mib);
    metrics.retainedCapBytes.set(gauged.retainedDiskCapMb * mib);
    metrics.activeProvisions.set(gauged.readyLeases());
  });
}
