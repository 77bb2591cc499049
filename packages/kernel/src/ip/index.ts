/** IP addresses, prefixes and MAC addresses as values: canonical text that compares by `===`. */
export {
  anyIpv4,
  anyIpv6,
  bitsOf,
  familyOf,
  type IpAddress,
  type IpFamily,
  type Ipv4,
  type Ipv6,
  ipBytes,
  ipFromBytes,
  isIpv4,
  isIpv6,
  isLinkLocal,
  parseIp,
  parseIpOrNothing,
  parseIpv4,
  parseIpv6,
} from './address.ts';
export { readIpv4, readIpv6, writeIpv4, writeIpv6 } from './bytes.ts';
export { type Cidr, contains, everything, formatCidr, isEverything, networkOf, parseCidr } from './cidr.ts';
export { type Mac, macBytes, macFromBytes, parseMac } from './mac.ts';
