import {
  type Dhcp6Message,
  type Dhcp6Options,
  decodeDhcp6,
  dhcp6Status,
  encodeDhcp6,
  type IaNa,
  type Status,
} from '../v6/index.ts';
import { type Ipv6, parseIpv6, toHex } from '../wire/index.ts';
import type { Random } from './random.ts';

export type Mood6 =
  | 'well'
  /** Answers nothing. */
  | 'silent'
  /** Advertises, but has nothing to give in the end. */
  | 'refusing'
  /** Has no addresses, and says so. */
  | 'empty'
  /** Sends answers that must not count. */
  | 'hostile';

/** A DHCPv6 server with one address a client, as RFC 8415, 18.3 describes it. */
export class SimulatedServer6 {
  mood: Mood6 = 'well';
  prefix = 'fd99::';
  next = 0x1000;
  preferredSeconds = 300;
  validSeconds = 600;
  extra: Partial<Dhcp6Options> = {};
  /** Two addresses for each client from now on. */
  generous = false;
  readonly declined: Ipv6[] = [];
  readonly released: Ipv6[] = [];
  readonly id: Uint8Array;
  readonly #bindings = new Map<string, Ipv6[]>();
  readonly #random: Random;

  constructor(id: Uint8Array, random: Random) {
    this.id = id;
    this.#random = random;
  }

  /** Loses its memory, as after a restart without a lease file. */
  restart(): void {
    this.#bindings.clear();
  }

  answer(packet: Uint8Array): readonly Uint8Array[] {
    const read = decodeDhcp6(packet);
    if (!read.ok || this.mood === 'silent') return [];
    const { value: message } = read;
    if (this.mood === 'hostile') return this.#lies(message);
    const { serverId } = message.options;
    if (serverId !== undefined && toHex(serverId) !== toHex(this.id)) return [];
    const reply = this.#reply(message);
    return reply === undefined ? [] : [encodeDhcp6(reply)];
  }

  #reply(message: Dhcp6Message): Dhcp6Message | undefined {
    const iaid = message.options.iaNas[0]?.iaid;
    if (iaid === undefined) return undefined;
    const key = toHex(message.options.clientId ?? new Uint8Array(0));
    switch (message.type) {
      case 'solicit':
        if (this.mood === 'empty') return this.#say('advertise', message, { status: status('noAddrsAvail') });
        return this.#say('advertise', message, { iaNas: [this.#association(iaid, this.#give(key))] });
      case 'request':
        if (this.mood !== 'well')
          return this.#say('reply', message, { iaNas: [refusal(iaid, 'noAddrsAvail')] });
        return this.#say('reply', message, { iaNas: [this.#association(iaid, this.#give(key))] });
      case 'confirm': {
        const fits = named(message).every((address) => address.startsWith(this.prefix));
        return this.#say('reply', message, { status: status(fits ? 'success' : 'notOnLink') });
      }
      case 'renew':
      case 'rebind':
        return this.#extend(message, iaid, key);
      case 'decline':
      case 'release':
        (message.type === 'decline' ? this.declined : this.released).push(...named(message));
        this.#bindings.delete(key);
        if (message.type === 'decline') this.next += 2;
        return this.#say('reply', message, { status: status('success') });
      default:
        return undefined;
    }
  }

  /** Renumbering: the old addresses are withdrawn in the same breath in which new ones are given. */
  #extend(message: Dhcp6Message, iaid: number, key: string): Dhcp6Message | undefined {
    const bound = this.#bindings.get(key);
    if (bound === undefined) {
      // Another server may know better, so this one may keep quiet.
      if (message.type === 'rebind' && this.#random.chance(0.5)) return undefined;
      return this.#say('reply', message, { iaNas: [refusal(iaid, 'noBinding')] });
    }
    const current = this.#give(key);
    const withdrawn = named(message).filter((address) => !current.includes(address));
    const association = this.#association(iaid, current);
    const gone = withdrawn.map((address) => ({ address, preferredSeconds: 0, validSeconds: 0 }));
    return this.#say('reply', message, {
      iaNas: [{ ...association, addresses: [...association.addresses, ...gone] }],
    });
  }

  #give(key: string): Ipv6[] {
    const bound = this.#bindings.get(key)?.filter((address) => address.startsWith(this.prefix)) ?? [];
    while (bound.length < (this.generous ? 2 : 1))
      bound.push(parse(`${this.prefix}${(this.next + bound.length).toString(16)}`));
    this.#bindings.set(key, bound);
    return bound;
  }

  #association(iaid: number, addresses: readonly Ipv6[]): IaNa {
    const { preferredSeconds, validSeconds } = this;
    return {
      iaid,
      renewSeconds: 0,
      rebindSeconds: 0,
      addresses: addresses.map((address) => ({ address, preferredSeconds, validSeconds })),
    };
  }

  #say(type: 'advertise' | 'reply', message: Dhcp6Message, options: Partial<Dhcp6Options>): Dhcp6Message {
    return {
      type,
      transactionId: message.transactionId,
      options: {
        ...(message.options.clientId === undefined ? {} : { clientId: message.options.clientId }),
        serverId: this.id,
        iaNas: [],
        rapidCommit: false,
        ...this.extra,
        ...options,
      },
    };
  }

  /** Answers of which none may count. */
  #lies(message: Dhcp6Message): readonly Uint8Array[] {
    const iaid = message.options.iaNas[0]?.iaid ?? 0;
    const evil = parse('2001:db8:bad::1');
    const give = (fields: Partial<IaNa>): Partial<Dhcp6Options> => ({
      iaNas: [{ ...this.#association(iaid, [evil]), ...fields }],
    });
    const type = message.type === 'solicit' ? 'advertise' : 'reply';
    const lie = this.#say(type, message, give({}));
    const { clientId: _, ...unaddressed } = lie.options;
    const { serverId: __, ...unsigned } = lie.options;
    const lies: readonly Dhcp6Message[] = [
      { ...lie, transactionId: lie.transactionId ^ (1 + this.#random.below(1000)) },
      { ...lie, type: type === 'reply' ? 'advertise' : 'reply' },
      { ...lie, options: { ...lie.options, clientId: Uint8Array.of(0, 4, 9) } },
      { ...lie, options: unaddressed },
      { ...lie, options: unsigned },
      this.#say(type, message, give({ iaid: iaid ^ 1 })),
      this.#say(type, message, give({ renewSeconds: 100, rebindSeconds: 50 })),
      this.#say(
        type,
        message,
        give({ addresses: [{ address: parse('fe80::1'), preferredSeconds: 9, validSeconds: 9 }] }),
      ),
      this.#say(
        type,
        message,
        give({ addresses: [{ address: evil, preferredSeconds: 10, validSeconds: 9 }] }),
      ),
      this.#say(type, message, { iaNas: [] }),
    ];
    // A confirmation, a decline and a release are believed of anybody: nothing is lost by that.
    const harmless = ['confirm', 'decline', 'release'].includes(message.type);
    return harmless ? [] : [...lies.map(encodeDhcp6), this.#random.bytes(this.#random.below(200))];
  }
}

const parse = (text: string): Ipv6 => parseIpv6(text) ?? ('::' as Ipv6);

const status = (name: keyof typeof dhcp6Status): Status => ({ code: dhcp6Status[name], message: '' });

const refusal = (iaid: number, name: keyof typeof dhcp6Status): IaNa => ({
  iaid,
  renewSeconds: 0,
  rebindSeconds: 0,
  addresses: [],
  status: status(name),
});

const named = (message: Dhcp6Message): readonly Ipv6[] =>
  message.options.iaNas.flatMap((ia) => ia.addresses.map(({ address }) => address));
