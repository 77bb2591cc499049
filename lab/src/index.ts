/** A real Docker host with a real LAN around it, for tests, the demo and benchmarks. */
export { labErrors } from './errors.ts';
export { Host, lanLink } from './host/host.ts';
export { busyboxImage } from './images/busybox.ts';
export { Lab, openLab } from './lab.ts';
export { prepareMachine } from './machine.ts';
export { defaultLabName, type LabName, labName } from './names.ts';
export { startDhcpServer, stopDhcpServer } from './network/dhcp-server.ts';
export type { AddressPlan, DhcpSpec, EngineVersion, HostSpec, LabSpec, LanSpec } from './spec.ts';
export { defaultSpec } from './spec.ts';
export { bringUp, removeOrphans, takeDown } from './up.ts';
