export type * from './containers.ts';
export { DockerContainers } from './docker-containers.ts';
export type { ContainerLogs, LogQuery } from './logs.ts';
