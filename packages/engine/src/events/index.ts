export type { BackoffOptions } from './backoff.ts';
export { DockerEvents } from './docker-events.ts';
export type * from './events.ts';
export { EventFeed, type FeedObserver, type FeedOptions } from './feed.ts';
export type { EventBatch, ResyncReason, SubscribeOptions, Subscription } from './subscription.ts';
