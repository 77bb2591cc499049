/** Keeps namespaces alive: siblings, managed service-anchors, dependents, followers, wraps, and the reports about them. */
export { DeadNamespaceDetector } from './detector.ts';
export { AskedFile } from './follow/asked-store.ts';
export { ExternalRebinder } from './follow/rebinder.ts';
export { LifecycleKeeper } from './keeper.ts';
export { projectOf } from './reach.ts';
export { projectsOf, selfOf } from './self.ts';
export { sayWhatIsOff } from './switches.ts';
export { WrapRebinder } from './wrap/rebinder.ts';
