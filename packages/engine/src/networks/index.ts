export { DockerNetworks } from './docker-networks.ts';
export type * from './networks.ts';
