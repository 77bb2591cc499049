/** A DHCPv6 server on the LAN that follows a script. */
import {
  type Dhcp6Message,
  decodeDhcp6,
  dhcp6Port,
  dhcp6Status,
  encodeDhcp6,
  type Ipv6,
  parseIpv6,
} from '@berth/dhcp';
import { all, equals, etherType } from '@berth/kernel/frames';
import { ipBytes, macBytes, parseIp, parseMac } from '@berth/kernel/ip';
import { labErrors } from '../../errors.ts';
import type { Lan } from '../lan.ts';
import { type LanPort, openLanPort } from './lan-port.ts';
import { altered, type Script } from './script.ts';
import { decodeUdp6Frame, encodeUdp6Frame, type Udp6Frame } from './udp6-frame.ts';

export type Script6 = Script<Dhcp6Message>;

const toServer = all(
  equals(12, 2, etherType.ipv6),
  equals(14 + 6, 1, 17),
  equals(14 + 40 + 2, 2, dhcp6Port.server),
);

/** A server's name for itself: a link-layer address from the range for documentation. */
const serverId = Uint8Array.from([0, 3, 0, 1, 2, 0, 0x5e, 0, 0x53, 1]);
const linkLocal = ipBytes(parseIp('fe80::5e:5301'));

export class ScriptedDhcp6 implements Disposable {
  /** What clients have asked so far. */
  readonly requests: Dhcp6Message[] = [];
  /** What it does from now on. */
  script: Script6;
  #port: LanPort | undefined;

  private constructor(script: Script6) {
    this.script = script;
  }

  /** Beside the LAN's own server, if that runs; otherwise in its place. */
  static async open(lan: Lan, script: Script6): Promise<ScriptedDhcp6> {
    const server = new ScriptedDhcp6(script);
    server.#port = await openLanPort(lan, {
      etherType: etherType.ipv6,
      filter: toServer,
      onFrame: ({ bytes }) => server.#hear(bytes),
    });
    return server;
  }

  #hear(bytes: Uint8Array): void {
    const frame = decodeUdp6Frame(bytes);
    const request = decodeDhcp6(frame?.payload ?? new Uint8Array());
    if (frame === undefined || !request.ok) return;
    this.requests.push(request.value);
    for (const { payload } of this.script(request.value)) {
      this.#answer(frame, payload instanceof Uint8Array ? payload : encodeDhcp6(payload));
    }
  }

  #answer(to: Udp6Frame, payload: Uint8Array): void {
    if (this.#port === undefined) return;
    this.#port.send(
      encodeUdp6Frame({
        sourceMac: macBytes(parseMac(this.#port.mac)),
        destinationMac: to.sourceMac,
        source: linkLocal,
        destination: to.source,
        sourcePort: dhcp6Port.server,
        destinationPort: to.sourcePort,
        payload,
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#port?.[Symbol.dispose]();
    this.#port = undefined;
  }
}

export interface Terms6 {
  readonly address: string;
  readonly preferredSeconds: number;
  readonly validSeconds: number;
  /** Default: half and four fifths of the preferred time. */
  readonly renewSeconds?: number;
  readonly rebindSeconds?: number;
}

function ipv6(text: string): Ipv6 {
  const address = parseIpv6(text);
  if (address === undefined) throw labErrors.error('BAD_SPEC', `${text} is not an IPv6 address`);
  return address;
}

/** Advertises and gives one address on these terms. */
export function lease6({ preferredSeconds, validSeconds, ...terms }: Terms6): Script6 {
  const lease = {
    renewSeconds: terms.renewSeconds ?? Math.floor(preferredSeconds / 2),
    rebindSeconds: terms.rebindSeconds ?? Math.floor((preferredSeconds * 4) / 5),
    addresses: [{ address: ipv6(terms.address), preferredSeconds, validSeconds }],
  };
  return (request) => answer6(request, (iaid) => ({ iaid, ...lease }));
}

/** Has no address for anybody. */
export const empty6: Script6 = (request) =>
  answer6(request, (iaid) => ({
    ...{ iaid, renewSeconds: 0, rebindSeconds: 0, addresses: [] },
    status: { code: dhcp6Status.noAddrsAvail, message: 'none left' },
  }));

type IaNa = Dhcp6Message['options']['iaNas'][number];

function answer6(request: Dhcp6Message, grant: (iaid: number) => IaNa): ReturnType<Script6> {
  const { transactionId, options } = request;
  const type = request.type === 'solicit' ? 'advertise' : 'reply';
  return [
    {
      payload: {
        type,
        transactionId,
        options: {
          ...(options.clientId === undefined ? {} : { clientId: options.clientId }),
          serverId,
          iaNas: options.iaNas.map(({ iaid }) => grant(iaid)),
          rapidCommit: false,
        },
      },
    },
  ];
}

export const inAnotherTransaction6 = (script: Script6): Script6 =>
  altered(script, (answer) => ({ ...answer, transactionId: answer.transactionId ^ 0x5a5a5a }));

export const forAnotherClient6 = (script: Script6): Script6 =>
  altered(script, (answer) => ({
    ...answer,
    options: { ...answer.options, clientId: Uint8Array.from([0, 3, 0, 1, 2, 0, 0x5e, 0, 0x53, 0x99]) },
  }));
