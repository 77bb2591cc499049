export { DockerImages } from './docker-images.ts';
export type * from './images.ts';
