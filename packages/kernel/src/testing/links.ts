import type { Netns } from '../netns/index.ts';
import { ip } from './namespaces.ts';

/** A cable from `device` here to `eth0` there, up at both ends. */
export function connect(
  one: Netns,
  device: string,
  addresses: readonly string[],
  far: Netns,
  farAddresses: readonly string[],
): void {
  ip(one, `link add ${device} type veth peer name far`);
  far.withDescriptor((fd) => ip(one, `link set far netns /proc/${process.pid}/fd/${fd} name eth0`));
  for (const address of addresses) addAddress(one, address, device);
  for (const address of farAddresses) addAddress(far, address, 'eth0');
  ip(one, `link set ${device} up`);
  ip(far, 'link set eth0 up');
}

const addAddress = (namespace: Netns, address: string, device: string): string =>
  ip(namespace, `addr add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`);
