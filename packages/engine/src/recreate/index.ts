export type { RecreateDoor } from './door.ts';
export type { Recreated, RecreateOptions } from './execute.ts';
export { type Aside, parseAsideName, recreateLabels } from './marks.ts';
export { askedEndpoint } from './network-plan.ts';
export type { Change } from './plan.ts';
export { type Leftover, type Recovered, recoverRecreations } from './recover.ts';
export { recreateContainer, replaceContainer } from './recreate.ts';
