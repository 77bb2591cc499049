/** Finds the external interface by its Docker network, patiently: Docker may still be plugging us in. */
import type { ContainerDetails, Containers } from '@berth/engine';
import type { Network } from '@berth/kernel/network';
import { type Clock, sleep } from '@berth/service';
import { duration, errorText, type Log } from '@berth/service/log';
import { inspectSelf } from '../discovery/index.ts';
import { anchordErrors } from '../errors.ts';
import { externalMessages as messages } from '../messages/index.ts';
import { chooseExternalInterface, type ExternalLink, interfaceRetry } from './interface.ts';

export interface ResolveInterfaceParts {
  readonly containers: Pick<Containers, 'inspect'>;
  readonly network: Pick<Network, 'links'>;
  /** What to try in an inspection of ourselves. */
  readonly self: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Docker answers this within milliseconds, or not at all. */
const answerMs = 3_000;

/** Throws `EXTERNAL_INTERFACE_NOT_FOUND` when the patience is over. */
export async function resolveExternalInterface(
  dockerNetwork: string,
  parts: ResolveInterfaceParts,
  signal: AbortSignal,
): Promise<ExternalLink> {
  const { clock, log } = parts;
  const deadline = clock.monotonic() + interfaceRetry.deadlineMs;
  for (let backoffMs: number = interfaceRetry.firstMs; ; backoffMs *= interfaceRetry.factor) {
    const failure = await attempt(dockerNetwork, parts, signal);
    if (typeof failure !== 'string') return failure;
    if (clock.monotonic() >= deadline) {
      throw anchordErrors.error(
        'EXTERNAL_INTERFACE_NOT_FOUND',
        `resolve external iface from network ${JSON.stringify(dockerNetwork)}: ${failure}`,
      );
    }
    const waitMs = Math.min(backoffMs, interfaceRetry.mostMs);
    log.say(messages.unresolved, { network: dockerNetwork, err: failure, backoff: duration(waitMs) });
    await sleep(clock, waitMs, signal);
  }
}

/** The link, or why not. */
async function attempt(
  dockerNetwork: string,
  parts: ResolveInterfaceParts,
  signal: AbortSignal,
): Promise<ExternalLink | string> {
  try {
    const own = await inspectSelf(parts.containers, parts.self(), signal, answerMs);
    return externalInterfaceOf(dockerNetwork, own, parts);
  } catch (error) {
    if (signal.aborted) throw error;
    return `docker API unreachable: ${errorText(error)}`;
  }
}

/** The link that Docker has given us on this network, or why there is none. */
export function externalInterfaceOf(
  dockerNetwork: string,
  { attachments }: Pick<ContainerDetails, 'attachments'>,
  { network, log }: Pick<ResolveInterfaceParts, 'network' | 'log'>,
): ExternalLink | string {
  const links = network.links.list().filter(({ loopback }) => !loopback);
  const recorded = attachments[dockerNetwork];
  const choice = chooseExternalInterface(links, recorded === undefined ? undefined : (recorded.mac ?? ''));
  if (choice.kind === 'not-found') return choice.reason;
  const { link, hits } = choice;
  if (hits > 1) log.say(messages.severalWithMac, { mac: link.mac, iface: link.name, hits });
  log.say(messages.resolved, { network: dockerNetwork, iface: link.name });
  return link;
}
