/** The two families of IP, by their numbers in family headers. */
import type { IpFamily } from '../ip/index.ts';
import { AF_INET, AF_INET6, AF_UNSPEC } from '../sys/index.ts';

/** The number of a family; that of all of them if none is named. */
export function familyNumber(family: IpFamily | undefined): number {
  if (family === undefined) return AF_UNSPEC;
  return family === 4 ? AF_INET : AF_INET6;
}

/** Nothing for families that are not IP (bridges, multicast routing), which dumps and events also carry. */
export function familyFromNumber(number: number): IpFamily | undefined {
  if (number === AF_INET) return 4;
  return number === AF_INET6 ? 6 : undefined;
}
