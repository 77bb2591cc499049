/**
 * Does a packet with a foreign source address reach the backends? Where the host filters bridged packets
 * (`bridge-nf-call-iptables`), Docker's rules drop exactly those: everything looks healthy, and no client gets through.
 * So the path is tried: one connection from our address on the shared network, one from our external address. Any answer
 * counts, a refusal as well.
 */

export type ProbeResult = 'answered' | 'silent';

export interface PathProbe {
  /** From an address of the shared network: tells whether the backend answers at all. */
  readonly fromInside: ProbeResult;
  /** From the external address: what a client's packet looks like on the bridge. */
  readonly fromOutside: ProbeResult;
}

export type PathVerdict =
  | 'open'
  /** The backend answers nobody, so nothing is known about the path. */
  | 'unknown'
  /** Only foreign sources are dropped, and the host filters bridged packets. */
  | 'bridge-netfilter'
  /** Only foreign sources get no answer, and the host does not filter: the way back is missing. */
  | 'no-return-route';

/** `hostFiltersBridges`: what the engine says about its host; undefined where we may not ask. */
export function judgePath(probe: PathProbe, hostFiltersBridges: boolean | undefined): PathVerdict {
  if (probe.fromOutside === 'answered') return 'open';
  if (probe.fromInside === 'silent') return 'unknown';
  return hostFiltersBridges === false ? 'no-return-route' : 'bridge-netfilter';
}

/** Who is blocked gets a second look: a service-anchor that has only just started may not have set its way back yet. */
export async function judgeUnhurried(
  judge: () => Promise<PathVerdict>,
  moment: () => Promise<void>,
): Promise<PathVerdict> {
  const first = await judge();
  if (first === 'open' || first === 'unknown') return first;
  await moment();
  return await judge();
}
