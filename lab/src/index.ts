/** A real Docker host with a real LAN around it, for tests, the demo and benchmarks. */

export type { Greeting } from './echo/greeting.ts';
export { labErrors } from './errors.ts';
export { restartEngine, startEngine } from './host/engine.ts';
export { type FileSystem, type FileSystemSpec, makeFileSystem } from './host/file-system.ts';
export { Host, lanLink } from './host/host.ts';
export { removeLabelled } from './host/labelled.ts';
export { anchordImage } from './images/anchord.ts';
export { type Build, buildImage } from './images/build.ts';
export { busybox } from './images/busybox.ts';
export { shiftedClock } from './images/clock-shifter.ts';
export { debian, load, tools } from './images/debian.ts';
export { echo, echoServing } from './images/echo.ts';
export { ensureImage, type ImageRecipe } from './images/image.ts';
export { ImageForms } from './images/image-forms.ts';
export { type Registry, registryAddress, startRegistry } from './images/registry.ts';
export { socketProxyImage } from './images/socket-proxy.ts';
export { Lab, openLab } from './lab.ts';
export { prepareMachine } from './machine.ts';
export { defaultLabName, type LabName, labName } from './names.ts';
export type { Client, Service, UdpFlow } from './network/client.ts';
export { serveDhcp, silenceDhcp } from './network/dhcp-server.ts';
export { NameServer } from './network/name-server.ts';
export { NamespaceSockets } from './sockets/namespace-sockets.ts';
export type { AddressPlan, DhcpSpec, EngineVersion, HostSpec, LabSpec, LanSpec } from './spec.ts';
export { defaultSpec } from './spec.ts';
export { waitFor } from './tools/wait.ts';
export { bringUp, removeOrphans, takeDown } from './up.ts';
