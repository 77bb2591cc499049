/** Servers on the LAN that follow a script: with leases of seconds, and in every way that a server can be wrong. */
export { advertise } from './advertise.ts';
export {
  asAnotherServer4,
  forAnotherClient4,
  inAnotherTransaction4,
  lease4,
  refusing4,
  type Script4,
  ScriptedDhcp4,
  type Terms4,
} from './dhcp4.ts';
export {
  empty6,
  forAnotherClient6,
  inAnotherTransaction6,
  lease6,
  type Script6,
  ScriptedDhcp6,
  type Terms6,
} from './dhcp6.ts';
export { altered, both, garbage, type Reply, repeated, type Script, silent } from './script.ts';
