/** Netlink: the codec, a socket to ask the kernel, a listener to hear it. The families build on these. */
export { type Refusal, refusalError } from './acknowledgement.ts';
export * from './constants.ts';
export { Attributes, familyHeader, malformed, messages, type NetlinkMessage } from './message-reader.ts';
export { MessageWriter } from './message-writer.ts';
export { type NetlinkEvents, NetlinkListener } from './netlink-listener.ts';
export { type BatchAnswer, type NetlinkRequest, NetlinkSocket } from './netlink-socket.ts';
export type { NetlinkOptions } from './open.ts';
