/** What an anchor tells about itself, and how somebody in its container gets to hear it. */
export { readinessLines } from './readiness.ts';
export { RecentRepairs } from './repairs.ts';
export { askStatus, ownMounts, refuseSecond, serveStatus } from './socket.ts';
export { type Status, StatusBoard } from './status.ts';
