import { constants } from 'node:os';
import { errnoError } from '../errors.ts';
import { Netns } from '../netns/index.ts';
import {
  AF_NETLINK,
  expectSuccess,
  linux,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_SOCKET,
  type Sys,
} from '../sys/index.ts';
import {
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_ROUTE,
  SOL_NETLINK,
} from './constants.ts';

export interface NetlinkOptions {
  /** NETLINK_ROUTE, NETLINK_NETFILTER. */
  readonly protocol: number;
  /** Where the socket lives for good; default our own. */
  readonly namespace?: Netns;
  readonly sendBufferBytes?: number;
  readonly receiveBufferBytes?: number;
  readonly sys?: Sys;
}

/** A bound netlink descriptor. */
export interface OpenedNetlink {
  readonly fd: number;
  readonly portId: number;
  readonly sys: Sys;
}

const SOCKADDR_NL_BYTES = 12;

export function openNetlink(options: NetlinkOptions, groups: readonly number[] = []): OpenedNetlink {
  const { protocol, namespace = Netns.own, sys = linux } = options;
  const what = `opening netlink socket ${protocol} in ${namespace.name}`;
  const fd = expectSuccess(
    namespace.run(() => sys.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)),
    () => what,
  );
  try {
    // Errors in words, and without a copy of the whole request (which may be large). Old kernels do without.
    setNumber(sys, fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
    setNumber(sys, fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    // Lets the kernel itself filter what a dump answers, and refuse what it does not understand.
    if (protocol === NETLINK_ROUTE) setNumber(sys, fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
    resize(sys, fd, SO_SNDBUFFORCE, SO_SNDBUF, options.sendBufferBytes);
    resize(sys, fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receiveBufferBytes);
    const portId = bindToAnyPort(sys, fd, what);
    // Only now: bind() takes back every group that was joined before it.
    for (const group of groups) {
      const joined = setNumber(sys, fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
      expectSuccess(joined, () => `${what}: joining group ${group}`);
    }
    return { fd, portId, sys };
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

function bindToAnyPort(sys: Sys, fd: number, what: string): number {
  const address = Buffer.alloc(SOCKADDR_NL_BYTES);
  address.writeUInt16LE(AF_NETLINK, 0);
  expectSuccess(sys.bind(fd, address), () => what);
  expectSuccess(sys.getsockname(fd, address), () => what);
  return address.readUInt32LE(4);
}

/** Beyond the system's limit if we may, else as far as it goes. */
function resize(sys: Sys, fd: number, forced: number, polite: number, bytes: number | undefined): void {
  if (bytes === undefined) return;
  const result = setNumber(sys, fd, SOL_SOCKET, forced, bytes);
  if (result === -constants.errno.EPERM) setNumber(sys, fd, SOL_SOCKET, polite, bytes);
  else if (result < 0) throw errnoError(-result, `sizing the buffer of a netlink socket to ${bytes} bytes`);
}

function setNumber(sys: Sys, fd: number, level: number, option: number, value: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return sys.setsockopt(fd, level, option, bytes);
}
