/** Who we are for DHCP: the same after every re-creation, whatever MAC the container has then. */
import { createHash } from 'node:crypto';

/** Option 61 of DHCPv4, as deployed reservations know it: a zero, then the host name as it is. */
export function clientIdOf(hostName: string): Uint8Array {
  return Uint8Array.of(0, ...Buffer.from(hostName));
}

/** What DHCPv6 knows us by. */
export interface Dhcp6Identity {
  /** A DUID of the kind UUID (RFC 8415, 11.5). */
  readonly clientId: Uint8Array;
  readonly iaid: number;
}

const DUID_UUID = 4;

/** From the host name alone, as the client identifier of DHCPv4: so a reservation sticks. */
export function dhcp6IdentityOf(hostName: string): Dhcp6Identity {
  const digest = createHash('sha256').update(`anchord dhcpv6 ${hostName}`).digest();
  const uuid = digest.subarray(0, 16);
  // Version 8 says that the bytes are made in a way of our own (RFC 9562, 5.8).
  uuid.writeUInt8((uuid.readUInt8(6) & 0x0f) | 0x80, 6);
  uuid.writeUInt8((uuid.readUInt8(8) & 0x3f) | 0x80, 8);
  return { clientId: Uint8Array.of(0, DUID_UUID, ...uuid), iaid: digest.readUInt32BE(16) };
}
