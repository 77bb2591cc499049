/** The two address families, by the names that labels, metrics and logs give them. */
import { type IpAddress, type IpFamily, familyOf as kernelFamilyOf } from '@berth/kernel/ip';

export const families = ['v4', 'v6'] as const;
export type Family = (typeof families)[number];

export type PerFamily<T> = Readonly<Record<Family, T>>;

export const familyOf = (address: IpAddress): Family => (kernelFamilyOf(address) === 4 ? 'v4' : 'v6');
export const familyNumber = (family: Family): IpFamily => (family === 'v4' ? 4 : 6);
