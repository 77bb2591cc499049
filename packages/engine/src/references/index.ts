export { type ComposeMembership, composeLabels, composeMembership } from './compose-labels.ts';
export {
  denotes,
  type Referable,
  type Resolved,
  resolveContainer,
  sharedNetworkOf,
} from './container-reference.ts';
export {
  DOCKER_HUB,
  familiarImageReference,
  formatImageReference,
  type ImageReference,
  parseImageReference,
} from './image-reference.ts';
