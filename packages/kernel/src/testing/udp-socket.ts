import { constants } from 'node:os';
import { familyOf, type IpAddress, ipBytes, ipFromBytes } from '../ip/index.ts';
import type { Netns } from '../netns/index.ts';
import {
  AF_INET,
  AF_INET6,
  expectSuccess,
  linux,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from '../sys/index.ts';

export interface Peer {
  readonly address: IpAddress;
  readonly port: number;
}

/** A UDP socket inside a namespace, on the event loop of the test. */
export class UdpSocket implements Disposable {
  readonly #fd: number;
  readonly #watch: Disposable;

  constructor(namespace: Netns, own: Peer, onMessage: (text: string, from: Peer, socket: UdpSocket) => void) {
    const family = familyOf(own.address) === 4 ? AF_INET : AF_INET6;
    this.#fd = expectSuccess(
      namespace.run(() => linux.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
      () => 'opening a UDP socket',
    );
    expectSuccess(linux.bind(this.#fd, sockaddr(own)), () => `binding to ${own.address} ${own.port}`);
    this.#watch = linux.onReadable(this.#fd, () => {
      const bytes = Buffer.alloc(2048);
      const from = Buffer.alloc(28);
      for (;;) {
        const length = linux.recvfrom(this.#fd, bytes, MSG_DONTWAIT, from);
        if (length === -constants.errno.EAGAIN) return;
        // An ICMP error about an earlier packet; the next read goes on.
        if (length >= 0) onMessage(bytes.toString('utf8', 0, length), peerOf(from), this);
      }
    });
  }

  send(text: string, to: Peer): void {
    linux.sendto(this.#fd, Buffer.from(text), 0, sockaddr(to));
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    linux.close(this.#fd);
  }
}

function sockaddr({ address, port }: Peer): Buffer {
  const v4 = familyOf(address) === 4;
  const bytes = Buffer.alloc(v4 ? 16 : 28);
  bytes.writeUInt16LE(v4 ? AF_INET : AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ipBytes(address), v4 ? 4 : 8);
  return bytes;
}

function peerOf(bytes: Buffer): Peer {
  const v4 = bytes.readUInt16LE(0) === AF_INET;
  return {
    address: ipFromBytes(v4 ? bytes.subarray(4, 8) : bytes.subarray(8, 24)),
    port: bytes.readUInt16BE(2),
  };
}
