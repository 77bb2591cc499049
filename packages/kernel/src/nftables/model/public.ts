/** The part of the model that everybody may use. */
export type { DataType, Scalar } from './data-types.ts';
export type { Family } from './family.ts';
export type { Field } from './fields.ts';
export * from './rules.ts';
export type * from './ruleset.ts';
export type * from './statements.ts';
export * from './tables.ts';
export type * from './values.ts';
