/** What tests of other packages need of this one; no program loads it. */
export { handles } from './lifecycle/missed-signals.ts';
export type { RecordedLine } from './log/recording.ts';
export { RecordingLog } from './log/recording.ts';
export type { ReadFamily, ReadSample } from './metrics/exposition.ts';
export { readExposition } from './metrics/exposition.ts';
