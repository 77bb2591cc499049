export { DockerEvents } from './docker-events.ts';
export type * from './events.ts';
