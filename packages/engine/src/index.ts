/** All that we say to Docker: typed clients, one event feed, references, re-create. */
export type * from './containers/index.ts';
export { isForWantOfNetworkOwner } from './docker-messages.ts';
export { connectEngine, type Engine, type EngineOptions } from './engine.ts';
export { type EngineError, type EngineErrorCode, engineErrors, mayHaveHappened } from './errors.ts';
export type * from './events/index.ts';
export { EventFeed } from './events/index.ts';
export {
  type Answered,
  type ApiVersion,
  atLeast,
  type CallOptions,
  type Endpoint,
  endpointFromEnvironment,
  type Filters,
  formatApiVersion,
  parseEndpoint,
  type Reply,
  type TlsFiles,
} from './http/index.ts';
export type * from './images/index.ts';
export type * from './networks/index.ts';
export type * from './recreate/index.ts';
export {
  askedEndpoint,
  parseAsideName,
  recoverRecreations,
  recreateContainer,
  recreateLabels,
  replaceContainer,
} from './recreate/index.ts';
export {
  type ComposeMembership,
  composeLabels,
  composeMembership,
  DOCKER_HUB,
  denotes,
  familiarImageReference,
  formatImageReference,
  type ImageReference,
  parseImageReference,
  type Referable,
  type Resolved,
  resolveContainer,
  sharedNetworkOf,
} from './references/index.ts';
export type * from './system/index.ts';
export type * from './volumes/index.ts';
