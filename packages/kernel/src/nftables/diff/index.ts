/** What has to change, and in what order. */
export { type Change, commandsOf, commandsOfChanges } from './changes.ts';
export { diff } from './diff.ts';
