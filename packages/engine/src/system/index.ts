export { DockerSystem } from './docker-system.ts';
export type * from './system.ts';
