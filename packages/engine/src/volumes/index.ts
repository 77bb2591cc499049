export { DockerVolumes } from './docker-volumes.ts';
export type * from './volumes.ts';
