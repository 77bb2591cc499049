import { type Mac, macBytes, macFromBytes } from '../wire/addresses.ts';
import type { ByteWriter } from '../wire/bytes.ts';

export const etherType = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

const ethernetHeaderLength = 14;

export interface EthernetHeader {
  readonly destination: Mac;
  readonly source: Mac;
  readonly etherType: number;
}

export function putEthernetHeader(writer: ByteWriter, header: EthernetHeader): ByteWriter {
  return writer.put(macBytes(header.destination)).put(macBytes(header.source)).u16(header.etherType);
}

/** The header and what follows it, or nothing where the frame is shorter than a header. */
export function splitEthernet(frame: Uint8Array): (EthernetHeader & { payload: Uint8Array }) | undefined {
  if (frame.length < ethernetHeaderLength) return undefined;
  return {
    destination: macFromBytes(frame),
    source: macFromBytes(frame.subarray(6)),
    etherType: ((frame[12] ?? 0) << 8) | (frame[13] ?? 0),
    payload: frame.subarray(ethernetHeaderLength),
  };
}
