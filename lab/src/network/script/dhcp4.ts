/** A DHCPv4 server on the LAN that follows a script. */
import {
  type Dhcp4Message,
  decodeDhcp4,
  decodeUdpFrame,
  dhcp4Message,
  dhcp4Port,
  encodeDhcp4,
  encodeUdpFrame,
  type Ipv4,
  type Mac,
  parseIpv4,
  parseMac,
} from '@berth/dhcp';
import { all, DeafUdpSocket, equals, etherType, type ReceivedFrame } from '@berth/kernel/frames';
import { anyIpv4 } from '@berth/kernel/ip';
import { labErrors } from '../../errors.ts';
import { dhcpIsServed } from '../dhcp-server.ts';
import type { Lan } from '../lan.ts';
import { type LanPort, openLanPort } from './lan-port.ts';
import { altered, type Reply, type Script } from './script.ts';

export type Script4 = Script<Dhcp4Message>;

const toServer = all(
  equals(12, 2, etherType.ipv4),
  equals(14 + 9, 1, 17),
  equals({ afterIpv4Header: 2 }, 2, dhcp4Port.server),
);

const known = <T>(value: T | undefined, text: string): T => {
  if (value === undefined) throw labErrors.error('BAD_SPEC', `${text} is not an address`);
  return value;
};
const ipv4 = (text: string): Ipv4 => known(parseIpv4(text), text);
const mac = (text: string): Mac => known(parseMac(text), text);
const everybody = mac('ff:ff:ff:ff:ff:ff');

export class ScriptedDhcp4 implements Disposable {
  /** What clients have asked so far. */
  readonly requests: Dhcp4Message[] = [];
  /** What it does from now on. */
  script: Script4;
  readonly #address: Ipv4;
  #port: LanPort | undefined;
  #deaf: Disposable | undefined;

  private constructor(lan: Lan, script: Script4) {
    this.script = script;
    this.#address = ipv4(lan.plan.v4(lan.plan.router));
  }

  /** Beside the LAN's own server, if that runs; otherwise in its place. */
  static async open(lan: Lan, script: Script4): Promise<ScriptedDhcp4> {
    const server = new ScriptedDhcp4(lan, script);
    const port = await openLanPort(lan, {
      etherType: etherType.ipv4,
      filter: toServer,
      onFrame: (frame) => server.#hear(frame),
    });
    server.#port = port;
    // Without a socket on the port, the kernel would tell clients that renew that nobody is there.
    if (!dhcpIsServed(lan))
      server.#deaf = DeafUdpSocket.open({ ...port, address: anyIpv4, port: dhcp4Port.server });
    return server;
  }

  #hear({ bytes, checksumPending }: ReceivedFrame): void {
    const datagram = decodeUdpFrame(bytes, checksumPending ? 'not-computed' : 'verify');
    if (!datagram.ok) return;
    const request = decodeDhcp4(datagram.value.payload);
    if (!request.ok) return;
    this.requests.push(request.value);
    for (const reply of this.script(request.value)) this.send(reply);
  }

  /** Says something, asked or not, to everybody on the LAN. */
  send({ payload }: Reply<Dhcp4Message>): void {
    if (this.#port === undefined) return;
    this.#port.send(
      encodeUdpFrame({
        sourceMac: this.#port.mac,
        destinationMac: everybody,
        source: this.#address,
        destination: ipv4('255.255.255.255'),
        sourcePort: dhcp4Port.server,
        destinationPort: dhcp4Port.client,
        payload: payload instanceof Uint8Array ? payload : encodeDhcp4(payload),
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#deaf?.[Symbol.dispose]();
    this.#port?.[Symbol.dispose]();
    this.#port = undefined;
  }
}

export interface Terms4 {
  readonly address: string;
  readonly router: string;
  readonly leaseSeconds: number;
  readonly renewSeconds?: number;
  readonly rebindSeconds?: number;
}

/** Offers and gives one address on these terms: also leases shorter than dnsmasq's two minutes. */
export function lease4(terms: Terms4): Script4 {
  const options = {
    serverId: ipv4(terms.router),
    subnetMask: ipv4('255.255.255.0'),
    routers: [ipv4(terms.router)],
    leaseSeconds: terms.leaseSeconds,
    ...(terms.renewSeconds === undefined ? {} : { renewalSeconds: terms.renewSeconds }),
    ...(terms.rebindSeconds === undefined ? {} : { rebindingSeconds: terms.rebindSeconds }),
  };
  return (request) => {
    const type = request.type === 'discover' ? 'offer' : request.type === 'request' ? 'ack' : undefined;
    if (type === undefined) return [];
    const { xid, chaddr } = request;
    return [
      { payload: dhcp4Message({ type, op: 'reply', xid, chaddr, yiaddr: ipv4(terms.address), options }) },
    ];
  };
}

/** Offers as the script does, but refuses every request. */
export const refusing4 = (script: Script4): Script4 =>
  altered(script, ({ options, ...answer }) =>
    answer.type === 'ack'
      ? {
          ...answer,
          type: 'nak',
          yiaddr: ipv4('0.0.0.0'),
          options: { ...(options.serverId === undefined ? {} : { serverId: options.serverId }) },
        }
      : { ...answer, options },
  );

export const inAnotherTransaction4 = (script: Script4): Script4 =>
  altered(script, (answer) => ({ ...answer, xid: (answer.xid ^ 0x5a5a_5a5a) >>> 0 }));

export const forAnotherClient4 = (script: Script4): Script4 =>
  altered(script, (answer) => ({ ...answer, chaddr: mac('02:00:5e:00:53:99') }));

/** Answers requests that were made to somebody else in that one's place. */
export const asAnotherServer4 = (script: Script4, server: string): Script4 =>
  altered(script, (answer) => ({ ...answer, options: { ...answer.options, serverId: ipv4(server) } }));
