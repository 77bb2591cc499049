/** DHCP for IPv4: the messages and the client. */
export * from './message.ts';
export type { ClasslessRoute, StaticRoute } from './option-formats.ts';
export type { Dhcp4OptionName, Dhcp4Options } from './options.ts';
export { optionCode } from './options.ts';
