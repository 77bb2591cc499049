/** Numbers of rtnetlink that more than one noun needs. */
import type { IpFamily } from '../ip/index.ts';
import { AF_INET, AF_INET6, AF_UNSPEC } from '../sys/index.ts';

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;
export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_GETNEIGH = 30;
export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;
export const RTM_GETRULE = 34;

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

/** The name of a number in a table; the number itself, as text, where it has none. */
export function nameOf<Name extends string>(
  table: Readonly<Record<Name, number>>,
  number: number,
): Name | `${number}` {
  for (const name in table) if (table[name] === number) return name;
  return `${number}`;
}
