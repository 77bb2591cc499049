import { type IpAddress, ipBytes, isIpv4 } from '../ip/index.ts';
import {
  MessageWriter,
  NETLINK_NETFILTER,
  NetlinkSocket,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
} from '../netlink/index.ts';
import type { Netns } from '../netns/index.ts';
import { AF_INET, AF_INET6 } from '../sys/index.ts';

/** A UDP flow that was redirected from the LAN address to a backend. */
export interface MadeFlow {
  readonly client: IpAddress;
  readonly clientPort: number;
  readonly lan: IpAddress;
  readonly port: number;
  readonly backend: IpAddress;
  readonly backendPort: number;
  readonly zone?: number;
}

const CONFIRMED_AND_ANSWERED = 0x8 | 0x2 | 0x4;

/** Puts flows into the table without sending a packet. */
export function makeFlows(namespace: Netns, flows: Iterable<MadeFlow>): void {
  using socket = NetlinkSocket.open({ protocol: NETLINK_NETFILTER, namespace, receiveBufferBytes: 2 ** 22 });
  const writer = new MessageWriter();
  let waiting = 0;
  const send = (): void => {
    const [refusal] = socket.batch(writer, 'making flows').refusals;
    if (refusal !== undefined) throw new Error(`the kernel refuses a flow: errno ${refusal.errno}`);
    writer.reset();
    waiting = 0;
  };
  for (const flow of flows) {
    writer.message(0x100, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, socket.nextSequence(), () =>
      writeFlow(writer, flow),
    );
    waiting += 1;
    if (waiting === 500) send();
  }
  send();
}

function writeFlow(writer: MessageWriter, flow: MadeFlow): void {
  const { client, clientPort, lan, port, backend, backendPort, zone } = flow;
  writer.raw(Uint8Array.of(isIpv4(client) ? AF_INET : AF_INET6, 0, 0, 0));
  writer.nested(1, () => writeTuple(writer, client, clientPort, lan, port));
  writer.nested(2, () => writeTuple(writer, backend, backendPort, client, clientPort));
  writer.u32be(3, CONFIRMED_AND_ANSWERED);
  writer.u32be(7, 600);
  if (zone !== undefined) writer.u16be(18, zone);
}

function writeTuple(
  writer: MessageWriter,
  source: IpAddress,
  sourcePort: number,
  destination: IpAddress,
  destinationPort: number,
): void {
  const [from, to] = isIpv4(source) ? [1, 2] : [3, 4];
  writer.nested(1, () => {
    writer.binary(from, ipBytes(source));
    writer.binary(to, ipBytes(destination));
  });
  writer.nested(2, () => {
    writer.u8(1, 17);
    writer.u16be(2, sourcePort);
    writer.u16be(3, destinationPort);
  });
}
