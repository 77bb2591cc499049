import { constants } from 'node:os';
import { errnoError } from '../errors.ts';
import { MSG_DONTWAIT, MSG_TRUNC, type Sys } from '../sys/index.ts';

const { EAGAIN, ENETDOWN, ECONNREFUSED, EHOSTUNREACH, EINVAL } = constants.errno;

/** What a socket reports of the weather on its link or of earlier packets: no reason to give up reading. */
const passing: ReadonlySet<number> = new Set([ENETDOWN, ECONNREFUSED, EHOSTUNREACH, EINVAL]);

/** How many packets are read before others get their turn; the event loop calls again for the rest. */
const PACKETS_A_TURN = 64;
/** More than the largest frame that Ethernet carries for us; what is longer comes cut and says so. */
const BUFFER_BYTES = 2048;

export interface RawPacket {
  /** The buffer of the next packet, too: copy what has to last. */
  readonly bytes: Uint8Array;
  /** How long it was on the wire. */
  readonly length: number;
  /** The sender's socket address. */
  readonly from: Uint8Array;
}

/** Reads packets off a descriptor from the event loop, without ever waiting, until it is disposed of. */
export function readPackets(
  sys: Sys,
  fd: number,
  addressBytes: number,
  onPacket: (packet: RawPacket) => void,
  onFailure: (error: unknown) => void,
): Disposable {
  const buffer = new Uint8Array(BUFFER_BYTES);
  const from = new Uint8Array(addressBytes);
  let ended = false;
  const drain = (): void => {
    for (let count = 0; count < PACKETS_A_TURN && !ended; count += 1) {
      const length = sys.recvfrom(fd, buffer, MSG_DONTWAIT | MSG_TRUNC, from);
      if (length === -EAGAIN) return;
      if (length >= 0) onPacket({ bytes: buffer.subarray(0, Math.min(length, buffer.length)), length, from });
      else if (!passing.has(-length)) throw errnoError(-length, 'reading packets');
    }
  };
  const watch = sys.onReadable(fd, () => {
    try {
      drain();
    } catch (error) {
      // A descriptor that cannot be read would wake the loop for ever.
      stop();
      onFailure(error);
    }
  });
  const stop = (): void => {
    ended = true;
    watch[Symbol.dispose]();
  };
  return { [Symbol.dispose]: stop };
}
