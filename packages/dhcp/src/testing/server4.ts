import { type Dhcp4Message, type Dhcp4Options, decodeDhcp4, dhcp4Message, encodeDhcp4 } from '../v4/index.ts';
import { type Ipv4, ipv4FromNumber, ipv4Number, noIpv4, toHex } from '../wire/index.ts';
import type { Random } from './random.ts';

export type Mood4 =
  | 'well'
  /** Answers nothing. */
  | 'silent'
  /** Offers, but refuses or ignores what comes then. */
  | 'refusing'
  /** Sends answers that must not count. */
  | 'hostile';

interface Binding {
  readonly address: Ipv4;
  expiresAtMs: number;
}

/** A DHCP server that keeps its leases by client identifier, as RFC 2131, 4.3 describes it. */
export class SimulatedServer4 {
  mood: Mood4 = 'well';
  leaseSeconds = 600;
  /** Answers a renewal with another address than the one asked for. */
  movesClients = false;
  /** The last byte of the next address that it gives. */
  next = 50;
  extra: Dhcp4Options = {};
  readonly id: Ipv4;
  readonly declined: Ipv4[] = [];
  readonly released: Ipv4[] = [];
  readonly #bindings = new Map<string, Binding>();
  readonly #random: Random;
  readonly #now: () => number;

  constructor(id: Ipv4, random: Random, now: () => number) {
    this.id = id;
    this.#random = random;
    this.#now = now;
  }

  /** Loses its memory, as after a restart without a lease file. */
  restart(): void {
    this.#bindings.clear();
  }

  /** Wants its clients elsewhere: from now on there are other addresses only. */
  renumber(next: number): void {
    this.#bindings.clear();
    this.next = next;
  }

  holderOf(address: Ipv4): string | undefined {
    for (const [key, binding] of this.#bindings) {
      if (binding.address === address && binding.expiresAtMs > this.#now()) return key;
    }
    return undefined;
  }

  /** The answers to a packet, as packets. */
  answer(packet: Uint8Array): readonly Uint8Array[] {
    const read = decodeDhcp4(packet);
    if (!read.ok || read.value.op !== 'request') return [];
    const request = read.value;
    if (this.mood === 'silent') return [];
    if (this.mood === 'hostile') return this.#lies(request);
    const reply = this.#reply(request);
    if (reply === undefined) return [];
    if (this.mood === 'refusing' && reply.type === 'ack') {
      return this.#random.chance(0.5) ? [] : [encodeDhcp4(this.#nak(request))];
    }
    return [encodeDhcp4(reply)];
  }

  #reply(request: Dhcp4Message): Dhcp4Message | undefined {
    const { serverId, requestedAddress } = request.options;
    const key = keyOf(request);
    if (request.type === 'discover') return this.#grant('offer', request, this.#bindingFor(key));
    if (request.type === 'decline' || request.type === 'release') {
      if (serverId === this.id) this.#free(request, key);
      return undefined;
    }
    if (request.type !== 'request' || (serverId !== undefined && serverId !== this.id)) return undefined;
    const binding = this.#bindings.get(key);
    const wanted = requestedAddress ?? request.ciaddr;
    if (binding?.address !== wanted) {
      // A server that is not asked by name and knows nothing of the client keeps quiet when the network is right.
      return binding === undefined && serverId === undefined && this.#free4(wanted)
        ? this.#adopt(request, key, wanted)
        : this.#nak(request);
    }
    if (this.movesClients && request.ciaddr !== noIpv4) {
      this.renumber(50 + ((this.next - 40) % 100));
      return this.#grant('ack', request, this.#bindingFor(key));
    }
    binding.expiresAtMs = this.#now() + this.leaseSeconds * 1000;
    return this.#grant('ack', request, binding);
  }

  #adopt(request: Dhcp4Message, key: string, address: Ipv4): Dhcp4Message {
    const binding = { address, expiresAtMs: this.#now() + this.leaseSeconds * 1000 };
    this.#bindings.set(key, binding);
    return this.#grant('ack', request, binding);
  }

  /** Inside the range that it gives from, and nobody's. */
  #free4(address: Ipv4): boolean {
    const last = ipv4Number(address) & 255;
    return last >= this.next && last < this.next + 40 && this.holderOf(address) === undefined;
  }

  #free(request: Dhcp4Message, key: string): void {
    if (request.type === 'decline') {
      this.declined.push(request.options.requestedAddress ?? noIpv4);
      this.next += 1;
    } else this.released.push(request.ciaddr);
    this.#bindings.delete(key);
  }

  #bindingFor(key: string): Binding {
    const known = this.#bindings.get(key);
    if (known !== undefined) return known;
    const binding = {
      address: ipv4FromNumber(ipv4Number('10.99.0.0' as Ipv4) + this.next),
      expiresAtMs: this.#now() + this.leaseSeconds * 1000,
    };
    this.#bindings.set(key, binding);
    return binding;
  }

  #grant(type: 'offer' | 'ack', request: Dhcp4Message, { address }: Binding): Dhcp4Message {
    return this.#message(type, request, address, {
      subnetMask: '255.255.255.0' as Ipv4,
      routers: [this.id],
      leaseSeconds: this.leaseSeconds,
      ...this.extra,
    });
  }

  #nak(request: Dhcp4Message): Dhcp4Message {
    return this.#message('nak', request, noIpv4, {});
  }

  #message(
    type: 'offer' | 'ack' | 'nak',
    request: Dhcp4Message,
    yiaddr: Ipv4,
    options: Dhcp4Options,
  ): Dhcp4Message {
    return dhcp4Message({
      type,
      op: 'reply',
      xid: request.xid,
      chaddr: request.chaddr,
      yiaddr,
      options: { serverId: this.id, ...options },
    });
  }

  /** Answers of which none may count: to other questions, for other clients, with nothing in them, or no answers at all. */
  #lies(request: Dhcp4Message): readonly Uint8Array[] {
    const evil = ipv4FromNumber(0x0a63_00c8);
    const lie = this.#message(this.#random.pick(['offer', 'ack', 'nak']), request, evil, {
      subnetMask: '255.255.255.0' as Ipv4,
      leaseSeconds: 60,
    });
    const lies: readonly Dhcp4Message[] = [
      { ...lie, xid: (lie.xid + 1 + this.#random.below(1000)) >>> 0 },
      { ...lie, chaddr: 'aa:aa:aa:aa:aa:aa' as Dhcp4Message['chaddr'] },
      { ...lie, op: 'request' },
      { ...lie, options: { ...lie.options, clientId: Uint8Array.of(0, 1, 2) } },
      dhcp4Message({ ...lie, type: 'ack', yiaddr: noIpv4 }),
      dhcp4Message({ ...lie, type: 'offer', options: { ...lie.options, leaseSeconds: 0 } }),
      dhcp4Message({ ...lie, type: 'offer', yiaddr: '10.99.0.255' as Ipv4 }),
      dhcp4Message({ ...lie, type: 'ack', options: {} }),
      dhcp4Message({ ...lie, type: 'nak', options: {} }),
    ];
    return [...lies.map(encodeDhcp4), this.#random.bytes(this.#random.below(400))];
  }
}

const keyOf = ({ options, chaddr }: Dhcp4Message): string =>
  options.clientId === undefined ? chaddr : toHex(options.clientId);
