/** The address families that a table may have, and their numbers. */
export type Family = 'ip' | 'ip6' | 'inet';

const numbers = { inet: 1, ip: 2, ip6: 10 } as const;

/** Families that we never make, but see when we list what is there. */
const others: Readonly<Record<number, string>> = { 3: 'arp', 5: 'netdev', 7: 'bridge' };

export const familyNumber = (family: Family): number => numbers[family];

export function familyOf(number: number): Family | undefined {
  switch (number) {
    case numbers.inet:
      return 'inet';
    case numbers.ip:
      return 'ip';
    case numbers.ip6:
      return 'ip6';
    default:
      return undefined;
  }
}

/** For people: the name of any family, ours or not. */
export const familyLabel = (number: number): string =>
  familyOf(number) ?? others[number] ?? `family ${number}`;
