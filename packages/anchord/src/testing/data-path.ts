/**
 * A LAN and a host with an inner network around a network-anchor, all in namespaces, without Docker: a client on the LAN, the
 * anchor between, backends and a sibling on a bridge. On each backend an echo service tells who it thinks the client is.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Netns } from '@berth/kernel/netns';
import { inside, until } from '@berth/kernel/testing';
import { type Greeting, NamespaceSockets } from '@berth/lab';

const echo = join(import.meta.dirname, '../../../../lab/src/echo/main.ts');

export const lan = { client: 2, anchor: 10 } as const;
export const transit = { anchor: 2, one: 5, two: 6, sibling: 7 } as const;
type Place = 'client' | 'anchor' | 'host' | 'one' | 'two' | 'sibling';
export type Family = 4 | 6;

export const lanAddress = (family: Family, host: number): string =>
  family === 4 ? `10.99.0.${host}` : `fd99::${host}`;
export const transitAddress = (family: Family, host: number): string =>
  family === 4 ? `172.30.0.${host}` : `fd30::${host}`;

export class DataPath implements AsyncDisposable {
  readonly #id = `dp${randomBytes(3).toString('hex')}`;
  readonly #names = new Map<Place, string>();
  readonly #namespaces = new Map<Place, Netns>();
  readonly #sockets = new Map<Place, NamespaceSockets>();
  readonly #children: ChildProcess[] = [];

  static async make(): Promise<DataPath> {
    const path = new DataPath();
    try {
      path.#build();
      await path.#serve('one', '25/tcp', '53/udp', '6636/tcp', '5353/udp');
      await path.#serve('two', '25/tcp', '53/udp');
      await path.#serve('client', '80/tcp', '80/udp');
      return path;
    } catch (error) {
      await path[Symbol.asyncDispose]();
      throw error;
    }
  }

  at(place: Place): Netns {
    const namespace = this.#namespaces.get(place);
    if (namespace === undefined) throw new Error(`there is no place ${place}`);
    return namespace;
  }

  ip(place: Place, args: string): string {
    return inside(this.at(place), 'ip', ...args.split(' '));
  }

  sockets(place: Place): NamespaceSockets {
    const sockets = this.#sockets.get(place) ?? new NamespaceSockets(this.#nameOf(place));
    this.#sockets.set(place, sockets);
    return sockets;
  }

  #build(): void {
    for (const place of ['host', 'anchor', 'client', 'one', 'two', 'sibling'] as const) this.#add(place);
    this.ip('host', 'link add br0 type bridge forward_delay 0');
    this.ip('host', 'link set br0 up');
    this.#cable('client', 'eth0', 'anchor', 'ext0');
    for (const place of ['anchor', 'one', 'two', 'sibling'] as const) {
      this.#cable(place, 'inner0', 'host', place);
      this.ip('host', `link set ${place} master br0`);
    }
    this.#address('client', 'eth0', lanAddress, lan.client);
    this.#address('anchor', 'ext0', lanAddress, lan.anchor);
    for (const place of ['anchor', 'one', 'two', 'sibling'] as const) {
      this.#address(place, 'inner0', transitAddress, transit[place]);
      if (place === 'anchor') continue;
      this.ip(place, `route add default via ${transitAddress(4, transit.anchor)}`);
      this.ip(place, `-6 route add default via ${transitAddress(6, transit.anchor)}`);
    }
    for (const setting of ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']) {
      inside(this.at('anchor'), 'sysctl', '-qw', setting);
    }
  }

  #nameOf(place: Place): string {
    return this.#names.get(place) ?? '';
  }

  #add(place: Place): void {
    const name = `${this.#id}-${place}`;
    inside(Netns.own, 'ip', 'netns', 'add', name);
    this.#names.set(place, name);
    this.#namespaces.set(place, Netns.atPath(`/run/netns/${name}`));
    this.ip(place, 'link set lo up');
  }

  #cable(a: Place, aLink: string, b: Place, bLink: string): void {
    const [an, bn] = [this.#nameOf(a), this.#nameOf(b)];
    inside(
      Netns.own,
      'ip',
      ...`link add ${aLink} netns ${an} type veth peer name ${bLink} netns ${bn}`.split(' '),
    );
    this.ip(a, `link set ${aLink} up`);
    this.ip(b, `link set ${bLink} up`);
  }

  #address(place: Place, link: string, of: (family: Family, host: number) => string, host: number): void {
    this.ip(place, `addr add ${of(4, host)}/24 dev ${link}`);
    this.ip(place, `addr add ${of(6, host)}/64 dev ${link} nodad`);
  }

  async #serve(place: Place, ...ports: readonly string[]): Promise<void> {
    const child = this.at(place).run(() =>
      spawn(process.execPath, [echo, ...ports], { stdio: ['ignore', 'ignore', 'inherit'] }),
    );
    this.#children.push(child);
    const wanted = new Set(ports.map((port) => port.split('/')[0]));
    await until(`the services of ${place}`, () => {
      const listening = inside(this.at(place), 'ss', '-Hlntu');
      return [...wanted].every((port) => listening.includes(`:${port} `));
    });
  }

  /** Connects from a place, and hands back what the service said of it. */
  async greet(from: Place, host: string, port: number, timeoutMs = 30_000): Promise<Greeting> {
    const socket = await this.sockets(from).tcp({ host, port, timeoutMs });
    try {
      let text = '';
      for await (const chunk of socket) {
        text += String(chunk);
        if (text.endsWith('\n')) break;
      }
      return JSON.parse(text) as Greeting;
    } finally {
      socket.destroy();
    }
  }

  /** A flow of datagrams from one port of a place. */
  async udp(from: Place, host: string, port: number) {
    const socket = await this.sockets(from).udp({ family: host.includes(':') ? 6 : 4 });
    socket.on('error', () => undefined);
    return {
      async greet(timeoutMs = 30_000): Promise<Greeting> {
        const answer = once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) });
        socket.send('hello', port, host);
        const [message] = await answer;
        return JSON.parse(String(message)) as Greeting;
      },
      send: () => socket.send('hello', port, host),
      async [Symbol.asyncDispose]() {
        socket.close();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sockets of this.#sockets.values()) await sockets[Symbol.asyncDispose]();
    for (const child of this.#children) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    for (const namespace of this.#namespaces.values()) namespace[Symbol.dispose]();
    for (const name of this.#names.values()) inside(Netns.own, 'ip', 'netns', 'delete', name);
  }
}
