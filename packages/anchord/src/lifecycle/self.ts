/** What our own container tells about us. */
import type { ContainerDetails } from '@berth/engine';
import { projectOf } from './reach.ts';
import type { Self } from './recipe.ts';

/** Beside a wrapped stack we stand in another project than the one that we serve. */
export function projectsOf(
  { labels }: Pick<ContainerDetails, 'labels'>,
  served: string | undefined,
): ReadonlySet<string> {
  return new Set([served, projectOf(labels)].filter((project) => project !== undefined));
}

export interface SharedNetwork {
  readonly sharedNetwork: string | undefined;
  readonly sharedNetworkIsGuess: boolean;
}

type Own = Pick<ContainerDetails, 'id' | 'name' | 'image' | 'imageId' | 'attachments'>;

/** With our addresses of both families on the shared network. */
export function selfOf(
  { id, name, image, imageId, attachments }: Own,
  { sharedNetwork, sharedNetworkIsGuess }: SharedNetwork,
): Self {
  const { ipv4, ipv6 } = attachments[sharedNetwork ?? ''] ?? {};
  const addresses = [ipv4, ipv6].filter((address) => address !== undefined);
  const gateway = addresses.length === 0 ? undefined : addresses.join(',');
  return { id, name, image, imageId, gateway, gatewayIsGuess: sharedNetworkIsGuess };
}
