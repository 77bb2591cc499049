/**
 * The few system calls that Node does not offer. Each answers as the kernel does: a result, or minus the errno. Nothing
 * here throws for what the kernel says, so that a caller can tell "nothing there yet" from an error at no cost;
 * `expectSuccess` turns the rest into an error of ours.
 */
export interface Sys {
  socket(domain: number, type: number, protocol: number): number;
  /** `address` is a sockaddr as the kernel lays it out. */
  bind(fd: number, address: Uint8Array): number;
  /** Writes the sockaddr into `into` and answers its length. */
  getsockname(fd: number, into: Uint8Array): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number;
  /** Writes the value into `into` and answers its length. */
  getsockopt(fd: number, level: number, option: number, into: Uint8Array): number;
  /** Lets only those packets through that a classic BPF program accepts: 8 bytes an instruction. */
  attachFilter(fd: number, program: Uint8Array): number;
  send(fd: number, bytes: Uint8Array, flags: number): number;
  sendto(fd: number, bytes: Uint8Array, flags: number, address: Uint8Array): number;
  /** Like `send` and `recv`, but on a thread of the pool: for calls in which the kernel works for long. */
  sendInBackground(fd: number, bytes: Uint8Array, flags: number): Promise<number>;
  recvInBackground(fd: number, into: Uint8Array, flags: number): Promise<number>;
  recv(fd: number, into: Uint8Array, flags: number): number;
  /** Like `recv`, and writes the sender's sockaddr into `from`. */
  recvfrom(fd: number, into: Uint8Array, flags: number, from: Uint8Array): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  open(path: string, flags: number): number;
  close(fd: number): number;
  /** An extended attribute of the path itself, never of what a link points to. Writes into `into`, answers the length. */
  lgetxattr(path: string, name: string, into: Uint8Array): number;
  lsetxattr(path: string, name: string, value: Uint8Array): number;
  /** Both change the calling thread only: see `Netns`, the one place that may call them. */
  setns(fd: number, kind: number): number;
  unshare(kinds: number): number;
  /** A descriptor that stands for this very process, not for its number. */
  pidfdOpen(pid: number): number;
  /** 0 while the process exists. */
  pidfdProbe(pidfd: number): number;
  /** Ends the process here and now. Nothing is waited for, not even a thread of the pool that hangs in a call. */
  exit(code: number): never;
  /**
   * Calls `drain` from the event loop whenever `fd` can be read. Level-triggered: `drain` has to read until EAGAIN or it
   * is called again at once, and an error on `fd` counts as readable, so that reading tells which. Dispose of it
   * before closing `fd`.
   */
  onReadable(fd: number, drain: () => void): Disposable;
}
