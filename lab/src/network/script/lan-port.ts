/** The router's own port on the LAN as a place to hear and send frames by hand, beside the kernel that works there. */
import { type Mac, parseMac } from '@berth/dhcp';
import { type Condition, PacketSocket, type ReceivedFrame } from '@berth/kernel/frames';
import { Netns } from '@berth/kernel/netns';
import { labErrors } from '../../errors.ts';
import { must } from '../../tools/run.ts';
import type { Lan } from '../lan.ts';
import { namespacePathOf } from '../namespace.ts';

interface Listening {
  readonly etherType: number;
  readonly filter: Condition;
  readonly onFrame: (frame: ReceivedFrame) => void;
}

export interface LanPort extends Disposable {
  readonly link: { readonly index: number; readonly name: string };
  readonly mac: Mac;
  readonly namespace: Netns;
  /** Puts a frame on the LAN, from whatever address it says. */
  send(frame: Uint8Array): void;
}

export async function openLanPort(lan: Lan, listening: Listening): Promise<LanPort> {
  const { index, mac } = await bridgeOf(lan);
  const namespace = Netns.atPath(namespacePathOf(lan.namespace));
  const { onFrame, ...options } = listening;
  try {
    const socket = PacketSocket.open({ ...options, namespace, link: index }, onFrame, () => undefined);
    return {
      link: { index, name: lan.bridge },
      mac,
      namespace,
      send: (frame) => socket.send(frame),
      [Symbol.dispose]() {
        socket[Symbol.dispose]();
        namespace[Symbol.dispose]();
      },
    };
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  }
}

async function bridgeOf(lan: Lan): Promise<{ readonly index: number; readonly mac: Mac }> {
  const said = await must(['ip', '-netns', lan.namespace, '-json', 'link', 'show', 'dev', lan.bridge]);
  const [link] = JSON.parse(said) as readonly { readonly ifindex: number; readonly address: string }[];
  const mac = parseMac(link?.address ?? '');
  if (link === undefined || mac === undefined)
    throw labErrors.error('TOOL_FAILED', `${lan.bridge} in ${lan.namespace} has no address`);
  return { index: link.ifindex, mac };
}
