/** Keeps namespaces alive: siblings, managed service-anchors, dependents, and the reports about them. */
export { DeadNamespaceDetector } from './detector.ts';
export { LifecycleKeeper } from './keeper.ts';
export { projectOf } from './reach.ts';
export type { Self } from './recipe.ts';
