/** Does the kernel of our namespace forward at all? */
import { isIpv6 } from '@berth/kernel/ip';
import { families } from '../../families.ts';
import { forwardingOff } from '../../path/index.ts';
import { found, type Outcome, skipped } from '../outcome.ts';
import type { Site } from '../site.ts';

/** A family in which no client can come need not be forwarded. */
export async function forwarding(site: Site): Promise<Outcome> {
  if (site.parts.role !== 'network-anchor') return skipped('only a network-anchor forwards');
  const link = await site.externalLink();
  const addresses = link === undefined ? [] : site.parts.network.addresses.list({ link: link.index });
  const hasV6 = addresses.some(({ address, scope }) => scope === 'global' && isIpv6(address));
  return found(
    families.flatMap((family) => {
      const name = family === 'v4' || hasV6 ? forwardingOff(family) : undefined;
      if (name === undefined) return [];
      return [
        { subject: family, detail: `${name} is 0`, step: { do: 'write sysctl', name, value: '1' } as const },
      ];
    }),
  );
}
