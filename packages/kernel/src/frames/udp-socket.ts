import { errnoError } from '../errors.ts';
import { type IpAddress, type Ipv6, isIpv4 } from '../ip/index.ts';
import { Netns } from '../netns/index.ts';
import {
  AF_INET,
  AF_INET6,
  expectSuccess,
  linux,
  MSG_DONTWAIT,
  SO_BINDTODEVICE,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
  type Sys,
} from '../sys/index.ts';
import { compileFilter, nothing } from './bpf.ts';
import { readPackets } from './readable.ts';
import { inet6Source, inetAddress, SOCKADDR_IN6_BYTES } from './socket-address.ts';

export interface UdpSocketOptions {
  /** Where the socket lives for good; default our own. */
  readonly namespace?: Netns;
  /** Everything goes out of this link and comes in through it, whatever the routes say. */
  readonly link: { readonly index: number; readonly name: string };
  readonly address: IpAddress;
  readonly port: number;
  readonly sys?: Sys;
}

function openBound(options: UdpSocketOptions): { fd: number; sys: Sys; name: string } {
  const { namespace = Netns.own, link, address, port, sys = linux } = options;
  const name = `UDP socket on ${link.name} (${address}, port ${port}) in ${namespace.name}`;
  const family = isIpv4(address) ? AF_INET : AF_INET6;
  const fd = expectSuccess(
    namespace.run(() => sys.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
    () => `opening a ${name}`,
  );
  try {
    const on = new Uint8Array(Int32Array.of(1).buffer);
    expectSuccess(sys.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, on), () => `sharing the port of a ${name}`);
    expectSuccess(
      sys.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${link.name}\0`)),
      () => `tying a ${name} to its link`,
    );
    expectSuccess(sys.bind(fd, inetAddress(address, port, link.index)), () => `binding a ${name}`);
    return { fd, sys, name };
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

/**
 * Sends datagrams by the kernel's own routes and neighbour table, and hears nothing. While it is open the kernel does not
 * tell senders that nobody listens on the port: whoever reads the answers as frames needs that.
 */
export class DeafUdpSocket implements Disposable {
  readonly #fd: number;
  readonly #sys: Sys;
  readonly #name: string;
  readonly #link: number;
  #closed = false;

  static open(options: UdpSocketOptions): DeafUdpSocket {
    return new DeafUdpSocket(openBound(options), options.link.index);
  }

  private constructor({ fd, sys, name }: { fd: number; sys: Sys; name: string }, link: number) {
    this.#fd = fd;
    this.#sys = sys;
    this.#name = name;
    this.#link = link;
    sys.attachFilter(fd, compileFilter(nothing));
  }

  send(bytes: Uint8Array, to: IpAddress, port: number): void {
    const sent = this.#sys.sendto(this.#fd, bytes, MSG_DONTWAIT, inetAddress(to, port, this.#link));
    if (sent < 0) throw errnoError(-sent, `sending to ${to}, port ${port} through a ${this.#name}`);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sys.close(this.#fd);
  }
}

export interface ReceivedDatagram {
  /** Ours to keep. */
  readonly bytes: Uint8Array;
  /** The datagram was longer than what we read of it. */
  readonly truncated: boolean;
  readonly from: Ipv6;
}

/** Datagrams over IPv6 on one link. */
export class Udp6Socket implements Disposable {
  readonly #fd: number;
  readonly #sys: Sys;
  readonly #name: string;
  readonly #link: number;
  readonly #reading: Disposable;
  #closed = false;

  /** `onFailure`: the socket cannot be read any more and is closed. */
  static open(
    options: UdpSocketOptions & { readonly address: Ipv6 },
    onDatagram: (datagram: ReceivedDatagram) => void,
    onFailure: (error: unknown) => void,
  ): Udp6Socket {
    return new Udp6Socket(openBound(options), options.link.index, onDatagram, onFailure);
  }

  private constructor(
    { fd, sys, name }: { fd: number; sys: Sys; name: string },
    link: number,
    onDatagram: (datagram: ReceivedDatagram) => void,
    onFailure: (error: unknown) => void,
  ) {
    this.#fd = fd;
    this.#sys = sys;
    this.#name = name;
    this.#link = link;
    this.#reading = readPackets(
      sys,
      fd,
      SOCKADDR_IN6_BYTES,
      ({ bytes, length, from }) =>
        onDatagram({ bytes: bytes.slice(), truncated: length > bytes.length, from: inet6Source(from) }),
      (error) => {
        this[Symbol.dispose]();
        onFailure(error);
      },
    );
  }

  send(bytes: Uint8Array, to: Ipv6, port: number): void {
    const sent = this.#sys.sendto(this.#fd, bytes, MSG_DONTWAIT, inetAddress(to, port, this.#link));
    if (sent < 0) throw errnoError(-sent, `sending to ${to}, port ${port} through a ${this.#name}`);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reading[Symbol.dispose]();
    this.#sys.close(this.#fd);
  }
}
