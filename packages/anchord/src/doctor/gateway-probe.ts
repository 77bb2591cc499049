/** Asks a neighbour on a link for its MAC, as the kernel does before it sends there: ARP for IPv4, a solicitation for IPv6. */
import {
  arpProbe,
  decodeArpFrame,
  decodeIcmp6Frame,
  decodeNeighbourMessage,
  encodeArpFrame,
  encodeIcmp6Frame,
  icmp6Type,
  neighbourSolicitation,
  type Ipv4 as WireIpv4,
  type Ipv6 as WireIpv6,
} from '@berth/dhcp';
import { all, arpAbout, type Condition, equals, etherType, PacketSocket } from '@berth/kernel/frames';
import { type IpAddress, isIpv4 } from '@berth/kernel/ip';
import type { Netns } from '@berth/kernel/netns';
import type { Clock } from '@berth/service';
import { type ExternalLink, wireMac } from '../addressing/index.ts';

export interface GatewayQuestion {
  readonly gateway: IpAddress;
  /** An address of ours on the link. */
  readonly from: IpAddress;
  readonly link: ExternalLink;
  readonly namespace?: Netns;
}

/** The same text under the codecs' own types. */
const wireIpv4 = (address: IpAddress): WireIpv4 => address as string as WireIpv4;
const wireIpv6 = (address: IpAddress): WireIpv6 => address as string as WireIpv6;

const attempts = 3;
const waitMs = 700;

const neighbourAdvertisements: Condition = all(
  equals(12, 2, etherType.ipv6),
  equals(14 + 6, 1, 58),
  equals(14 + 40, 1, icmp6Type.neighbourAdvertisement),
);

/** True when it answers. Throws `KERNEL_NOT_PERMITTED` without NET_RAW. */
export async function gatewayAnswers(
  { gateway, from, link, namespace }: GatewayQuestion,
  clock: Pick<Clock, 'after'>,
): Promise<boolean> {
  const { promise: answered, resolve, reject } = Promise.withResolvers<boolean>();
  const on = { link: link.index, ...(namespace === undefined ? {} : { namespace }) };
  const ask = isIpv4(gateway)
    ? { etherType: etherType.arp, filter: arpAbout([gateway]), frame: arpQuestion, isAnswer: isArpAnswer }
    : {
        etherType: etherType.ipv6,
        filter: neighbourAdvertisements,
        frame: neighbourQuestion,
        isAnswer: isNeighbourAnswer,
      };
  using socket = PacketSocket.open(
    { ...on, etherType: ask.etherType, filter: ask.filter },
    ({ bytes }) => {
      if (ask.isAnswer(bytes, gateway)) resolve(true);
    },
    reject,
  );
  const timers = Array.from({ length: attempts }, (_, attempt) =>
    clock.after(attempt * waitMs, () => {
      try {
        socket.send(ask.frame({ gateway, from, link }));
      } catch (error) {
        reject(error);
      }
    }),
  );
  timers.push(clock.after(attempts * waitMs, () => resolve(false)));
  try {
    return await answered;
  } finally {
    for (const timer of timers) timer.cancel();
  }
}

function arpQuestion({ gateway, from, link }: GatewayQuestion): Uint8Array {
  return encodeArpFrame({ ...arpProbe(wireMac(link), wireIpv4(gateway)), senderIp: wireIpv4(from) });
}

function isArpAnswer(frame: Uint8Array, gateway: IpAddress): boolean {
  const packet = decodeArpFrame(frame);
  return packet.ok && packet.value.operation === 'reply' && packet.value.senderIp === wireIpv4(gateway);
}

const neighbourQuestion = ({ gateway, from, link }: GatewayQuestion): Uint8Array =>
  encodeIcmp6Frame(neighbourSolicitation(wireMac(link), wireIpv6(from), wireIpv6(gateway)));

function isNeighbourAnswer(frame: Uint8Array, gateway: IpAddress): boolean {
  const icmp6 = decodeIcmp6Frame(frame);
  const message = icmp6.ok ? decodeNeighbourMessage(icmp6.value) : undefined;
  return (
    message?.ok === true &&
    message.value.kind === 'advertisement' &&
    message.value.target === wireIpv6(gateway)
  );
}
