/** Keys of sets and maps as bytes. */

export { dataIdentity, hasOneSpelling, keyIdentity, keyWords } from './identity.ts';
export { keyOfSpan, keySpan, type Layout, layoutOf, readKey, stepped, writeKey } from './layout.ts';
export { planOfInline, planOfSet, type SetPlan } from './set-plan.ts';
export { isExact, prefixMask, type Span, spanOf } from './spans.ts';
