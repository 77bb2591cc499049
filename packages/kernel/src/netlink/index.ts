/** Netlink: the codec, a socket to ask the kernel, a listener to hear it. The families build on these. */
export { type Refusal, refusalError } from './acknowledgement.ts';
export { BackgroundDumps } from './background-dump.ts';
export * from './constants.ts';
export type { DumpPage } from './dump.ts';
export { familyFromNumber, familyNumber } from './family.ts';
export { Attributes, familyHeader, malformed, messages, type NetlinkMessage } from './message-reader.ts';
export { MessageWriter } from './message-writer.ts';
export { nameOf, numberIn } from './names.ts';
export { type NetlinkEvents, NetlinkListener } from './netlink-listener.ts';
export { type BatchAnswer, NetlinkSocket } from './netlink-socket.ts';
export type { NetlinkOptions } from './open.ts';
export type { NetlinkRequest } from './request.ts';
