/** Everything that can go wrong between us and the kernel, in one table, and how an errno finds its row. */
import { constants } from 'node:os';
import { type CodedError, ErrorTable } from '@berth/service';

export type KernelErrorCode =
  | 'KERNEL_NOT_PERMITTED'
  | 'KERNEL_NOT_FOUND'
  | 'KERNEL_EXISTS'
  | 'KERNEL_BUSY'
  | 'KERNEL_INVALID'
  | 'KERNEL_UNSUPPORTED'
  | 'KERNEL_UNREACHABLE'
  | 'KERNEL_STALE'
  | 'KERNEL_OVERRUN'
  | 'KERNEL_RESOURCES'
  | 'KERNEL_CALL_FAILED'
  | 'KERNEL_MALFORMED'
  | 'KERNEL_NO_ANSWER'
  | 'KERNEL_MESSAGE_TOO_LONG'
  | 'KERNEL_CLOSED'
  | 'KERNEL_BAD_VALUE'
  | 'NAMESPACE_INVALID'
  | 'NAMESPACE_ASYNC'
  | 'PROCESS_GONE'
  | 'NFTABLES_UNSOUND'
  | 'NFTABLES_FOREIGN_TABLE';

export type KernelError = CodedError<KernelErrorCode>;

export const kernelErrors = new ErrorTable<KernelErrorCode>({
  KERNEL_NOT_PERMITTED: {
    title: 'The kernel refuses it to this process',
    remedy: 'Give the container the capability that its mode needs (NET_ADMIN, NET_RAW, SYS_ADMIN).',
  },
  KERNEL_NOT_FOUND: {
    title: 'What the request names is not there',
    remedy: 'Look whether the interface, address, route or table still exists in that network namespace.',
  },
  KERNEL_EXISTS: {
    title: 'It exists already',
    remedy: 'Replace it instead of adding it, or remove the other one first.',
  },
  KERNEL_BUSY: {
    title: 'It is in use',
    remedy: 'End what uses it, then try again.',
  },
  KERNEL_INVALID: {
    title: 'The kernel takes the request for wrong',
    remedy: 'Read the words of the kernel in the message: they name the part that it refuses.',
  },
  KERNEL_UNSUPPORTED: {
    title: 'This kernel lacks the feature',
    remedy: 'Load the kernel module that the message names, or use a kernel that has it.',
  },
  KERNEL_UNREACHABLE: {
    title: 'There is no way to that address',
    remedy: 'Bring the interface up and check that the gateway lies in one of its networks.',
  },
  KERNEL_STALE: {
    title: 'Somebody else changed it in the meantime',
    remedy: 'Read the present state, plan again and repeat.',
  },
  KERNEL_OVERRUN: {
    title: 'The kernel had more to say than the buffer holds, and dropped some of it',
    remedy: 'Read the present state afresh; enlarge the receive buffer if it happens often.',
  },
  KERNEL_RESOURCES: {
    title: 'The kernel or the process is out of memory, descriptors or table space',
    remedy: 'Raise the limit that the errno names (open files, memory, conntrack table).',
  },
  KERNEL_CALL_FAILED: {
    title: 'A system call failed for another reason',
    remedy: 'The errno in the details says why.',
  },
  KERNEL_MALFORMED: {
    title: 'A message does not have the form that the protocol lays down',
    remedy: 'Report it with the kernel version: the codec and this kernel do not agree.',
  },
  KERNEL_NO_ANSWER: {
    title: 'The kernel took a request and did not answer it',
    remedy: 'Repeat it; report it with the kernel version if it happens again.',
  },
  KERNEL_MESSAGE_TOO_LONG: {
    title: 'A message does not fit into what the protocol or the socket can carry',
    remedy: 'Split it into several messages, or enlarge the send buffer of the socket.',
  },
  KERNEL_CLOSED: {
    title: 'It was used after it had been closed',
    remedy: 'Report it: something outlived the scope that owns it.',
  },
  KERNEL_BAD_VALUE: {
    title: 'A text or a number is not a valid address, prefix or the like',
    remedy: 'Correct the value that the message quotes.',
  },
  NAMESPACE_INVALID: {
    title: 'The file is not a network namespace',
    remedy: 'Give the path of a network namespace, such as /proc/PID/ns/net or /run/netns/NAME.',
  },
  NAMESPACE_ASYNC: {
    title: 'Asynchronous work was started for another network namespace',
    remedy: 'Only open the sockets inside the namespace, and do everything else outside of it.',
  },
  PROCESS_GONE: {
    title: 'The process ended, or its number belongs to another process by now',
    remedy: 'Look up the container again and use its present process.',
  },
  NFTABLES_UNSOUND: {
    title: 'A ruleset contradicts itself',
    remedy: 'Report it: the message names each table, chain, set and rule that is wrong.',
  },
  NFTABLES_FOREIGN_TABLE: {
    title: 'An nftables table has the name of ours and belongs to somebody else',
    remedy: 'Delete or rename that table, or run in a network namespace of your own.',
  },
});

const byName: Readonly<Record<string, KernelErrorCode>> = {
  EPERM: 'KERNEL_NOT_PERMITTED',
  EACCES: 'KERNEL_NOT_PERMITTED',
  EROFS: 'KERNEL_NOT_PERMITTED',
  ENOENT: 'KERNEL_NOT_FOUND',
  ESRCH: 'KERNEL_NOT_FOUND',
  ENODEV: 'KERNEL_NOT_FOUND',
  ENXIO: 'KERNEL_NOT_FOUND',
  EADDRNOTAVAIL: 'KERNEL_NOT_FOUND',
  EEXIST: 'KERNEL_EXISTS',
  EADDRINUSE: 'KERNEL_EXISTS',
  EBUSY: 'KERNEL_BUSY',
  EINVAL: 'KERNEL_INVALID',
  ERANGE: 'KERNEL_INVALID',
  EOVERFLOW: 'KERNEL_INVALID',
  EOPNOTSUPP: 'KERNEL_UNSUPPORTED',
  EPROTONOSUPPORT: 'KERNEL_UNSUPPORTED',
  EAFNOSUPPORT: 'KERNEL_UNSUPPORTED',
  ENOSYS: 'KERNEL_UNSUPPORTED',
  ENOPROTOOPT: 'KERNEL_UNSUPPORTED',
  ENETUNREACH: 'KERNEL_UNREACHABLE',
  EHOSTUNREACH: 'KERNEL_UNREACHABLE',
  ENETDOWN: 'KERNEL_UNREACHABLE',
  ENOBUFS: 'KERNEL_OVERRUN',
  ENOMEM: 'KERNEL_RESOURCES',
  EMFILE: 'KERNEL_RESOURCES',
  ENFILE: 'KERNEL_RESOURCES',
  ENOSPC: 'KERNEL_RESOURCES',
  EMSGSIZE: 'KERNEL_MESSAGE_TOO_LONG',
};

/** ERESTART is the kernel's own and should not reach programs, but nftables answers a stale generation with it. */
const ERESTART = 85;

const names: ReadonlyMap<number, string> = new Map([
  ...Object.entries(constants.errno).map(([name, errno]): [number, string] => [errno, name]),
  [ERESTART, 'ERESTART'],
  // Two names for one number: the one that netlink speaks of wins.
  [constants.errno.EOPNOTSUPP, 'EOPNOTSUPP'],
  [constants.errno.EAGAIN, 'EAGAIN'],
]);

/** `2` → `ENOENT`. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

export interface ErrnoContext {
  readonly details?: Readonly<Record<string, unknown>>;
  /** What the kernel said about it in words, if it did. */
  readonly words?: string;
}

/** An errno as one of our errors. `what` says what failed and on what: `opening /proc/1/ns/net`. */
export function errnoError(errno: number, what: string, context: ErrnoContext = {}): KernelError {
  const name = errnoName(errno);
  const code = errno === ERESTART ? 'KERNEL_STALE' : (byName[name] ?? 'KERNEL_CALL_FAILED');
  const why = context.words === undefined ? name : `${context.words} (${name})`;
  return kernelErrors.error(code, `${what} failed: ${why}`, {
    details: {
      errno: name,
      ...(context.words === undefined ? {} : { words: context.words }),
      ...context.details,
    },
  });
}

/** The errno name that an error of ours carries, if it came from the kernel. */
export function errnoOf(error: unknown): string | undefined {
  if (!kernelErrors.is(error)) return undefined;
  const errno = error.details['errno'];
  return typeof errno === 'string' ? errno : undefined;
}
