/** Ends the tracking of flows that have to find another way: the executor of `hand-over.ts`. */
import type { Conntrack, FlowsToBackend } from '@berth/kernel/conntrack';
import type { IpAddress } from '@berth/kernel/ip';
import { familyNumber, familyOf } from '../families.ts';
import type { FlowsToForget } from './hand-over.ts';

/** Answers how many flows there were. `ownAddresses`: everything that a client may have taken for the project's address. */
export async function forgetFlows(
  conntrack: Pick<Conntrack, 'delete'>,
  flows: readonly FlowsToForget[],
  ownAddresses: () => readonly IpAddress[],
  signal?: AbortSignal,
): Promise<number> {
  // The kernel is asked only where it matters: it may be busy with the very interfaces of a container that comes.
  const own = flows.some(({ kind }) => kind === 'unserved') ? ownAddresses() : [];
  const selections = flows.flatMap((flow) => selectionsOf(flow, own));
  return selections.length === 0 ? 0 : await conntrack.delete(selections, signal);
}

function selectionsOf(flow: FlowsToForget, ownAddresses: readonly IpAddress[]): readonly FlowsToBackend[] {
  const { protocol, externalPort: originalDestinationPort } = flow;
  const family = familyNumber(flow.family);
  if (flow.kind === 'abandoned') {
    const { address: replySource, backendPort: replySourcePort } = flow;
    return [{ family, protocol, replySource, replySourcePort, originalDestinationPort }];
  }
  // Nobody translated these: they ended at an address of ours, and so would their answers have begun there.
  return ownAddresses
    .filter((address) => familyOf(address) === flow.family)
    .map((address) => ({
      family,
      protocol,
      replySource: address,
      replySourcePort: originalDestinationPort,
      originalDestination: address,
      originalDestinationPort,
    }));
}
