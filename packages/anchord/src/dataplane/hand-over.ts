/**
 * Which established flows have to be forgotten after the rules changed. The kernel decides about a translation once, with
 * the first packet of a flow; a UDP client that never pauses would else keep its old answer for ever.
 */
import type { IpAddress } from '@berth/kernel/ip';
import type { Family } from '../families.ts';
import type { Protocol } from '../labels.ts';
import type { DnatEntries } from './desired.ts';

/** Flows that were led to a backend which no longer serves the port: found by the source of their replies. */
interface AbandonedFlows {
  readonly kind: 'abandoned';
  readonly family: Family;
  readonly protocol: Protocol;
  readonly externalPort: number;
  readonly address: IpAddress;
  readonly backendPort: number;
}

/** Flows that came while nobody served the port, and so were taken for our own: they have to be led on now. */
interface UnservedFlows {
  readonly kind: 'unserved';
  readonly family: Family;
  readonly protocol: Protocol;
  readonly externalPort: number;
}

export type FlowsToForget = AbandonedFlows | UnservedFlows;

export function handOver(before: DnatEntries, after: DnatEntries): readonly FlowsToForget[] {
  const flows: FlowsToForget[] = [];
  for (const [key, { family, protocol, externalPort, address, backendPort }] of before) {
    const now = after.get(key);
    if (now === undefined || now.address !== address || now.backendPort !== backendPort) {
      flows.push({ kind: 'abandoned', family, protocol, externalPort, address, backendPort });
    }
  }
  for (const [key, { family, protocol, externalPort }] of after) {
    if (!before.has(key)) flows.push({ kind: 'unserved', family, protocol, externalPort });
  }
  return flows;
}

/** The distinct backend addresses that lose flows; what the log and the metric count. */
export function abandonedAddresses(
  flows: readonly FlowsToForget[],
): readonly { readonly family: Family; readonly address: IpAddress }[] {
  const addresses = new Map<string, { family: Family; address: IpAddress }>();
  for (const flow of flows) {
    if (flow.kind === 'abandoned') {
      addresses.set(flow.address, { family: flow.family, address: flow.address });
    }
  }
  return [...addresses.values()];
}
