import { errnoError } from '../errors.ts';
import { Netns } from '../netns/index.ts';
import {
  AF_PACKET,
  expectSuccess,
  linux,
  MSG_DONTWAIT,
  PACKET_VNET_HDR,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_PACKET,
  type Sys,
} from '../sys/index.ts';
import { type Condition, compileFilter } from './bpf.ts';
import { type RawPacket, readPackets } from './readable.ts';
import { packetAddress } from './socket-address.ts';

export interface PacketSocketOptions {
  /** Where the socket lives for good; default our own. */
  readonly namespace?: Netns;
  /** Index of the link. */
  readonly link: number;
  readonly etherType: number;
  /** What may reach us at all. */
  readonly filter: Condition;
  readonly sys?: Sys;
}

export interface ReceivedFrame {
  /** The frame from its Ethernet header on, ours to keep. */
  readonly bytes: Uint8Array;
  /** The frame was longer than what we read of it. */
  readonly truncated: boolean;
  /**
   * The sender left the checksum of the transport to hardware. Between the ends of a virtual link there is none, and
   * what stands in its place means nothing.
   */
  readonly checksumPending: boolean;
}

/** Stands before every frame and says how far its checksums are done (struct virtio_net_hdr). */
const VNET_HEADER_BYTES = 10;
const NEEDS_CHECKSUM = 1;
const SOCKADDR_LL_BYTES = 20;

/**
 * Frames of one kind on one link, as they are on the wire. Works without any address, and needs NET_RAW. While the link
 * is down nothing comes, and sending throws; it goes on by itself when the link is back.
 */
export class PacketSocket implements Disposable {
  readonly #fd: number;
  readonly #sys: Sys;
  readonly #name: string;
  readonly #reading: Disposable;
  #closed = false;

  /** `onFailure`: the socket cannot be read any more and is closed. */
  static open(
    options: PacketSocketOptions,
    onFrame: (frame: ReceivedFrame) => void,
    onFailure: (error: unknown) => void,
  ): PacketSocket {
    const { namespace = Netns.own, link, sys = linux } = options;
    const name = `packet socket on link ${link} in ${namespace.name}`;
    // Protocol 0: deaf until it is bound, so nothing comes in that the filter has not seen.
    const fd = expectSuccess(
      namespace.run(() => sys.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)),
      () => `opening a ${name}`,
    );
    try {
      expectSuccess(sys.attachFilter(fd, compileFilter(options.filter)), () => `filtering a ${name}`);
      const on = new Uint8Array(Int32Array.of(1).buffer);
      expectSuccess(
        sys.setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, on),
        () => `asking a ${name} for checksums`,
      );
      expectSuccess(sys.bind(fd, packetAddress(options.etherType, link)), () => `binding a ${name}`);
      return new PacketSocket(fd, sys, name, onFrame, onFailure);
    } catch (error) {
      sys.close(fd);
      throw error;
    }
  }

  private constructor(
    fd: number,
    sys: Sys,
    name: string,
    onFrame: (frame: ReceivedFrame) => void,
    onFailure: (error: unknown) => void,
  ) {
    this.#fd = fd;
    this.#sys = sys;
    this.#name = name;
    this.#reading = readPackets(
      sys,
      fd,
      SOCKADDR_LL_BYTES,
      (packet) => {
        const frame = receivedFrame(packet);
        if (frame !== undefined) onFrame(frame);
      },
      (error) => {
        this[Symbol.dispose]();
        onFailure(error);
      },
    );
  }

  /** Changes what may reach us, in one step. What passed the old filter and waits may still come. */
  setFilter(filter: Condition): void {
    expectSuccess(this.#sys.attachFilter(this.#fd, compileFilter(filter)), () => `filtering a ${this.#name}`);
  }

  /** Sends a frame, Ethernet header and all. Never waits: a full queue is an error like a link that is down. */
  send(frame: Uint8Array): void {
    const bytes = new Uint8Array(VNET_HEADER_BYTES + frame.length);
    bytes.set(frame, VNET_HEADER_BYTES);
    const sent = this.#sys.send(this.#fd, bytes, MSG_DONTWAIT);
    if (sent < 0) throw errnoError(-sent, `sending ${frame.length} bytes through a ${this.#name}`);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reading[Symbol.dispose]();
    this.#sys.close(this.#fd);
  }
}

function receivedFrame({ bytes, length }: RawPacket): ReceivedFrame | undefined {
  if (bytes.length < VNET_HEADER_BYTES) return undefined;
  return {
    bytes: bytes.slice(VNET_HEADER_BYTES),
    truncated: length > bytes.length,
    checksumPending: ((bytes[0] ?? 0) & NEEDS_CHECKSUM) !== 0,
  };
}
