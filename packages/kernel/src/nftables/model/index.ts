/** What a ruleset is made of: the value types, the fields and data types that rules speak of, and words to build them. */
export {
  badValue,
  type DataType,
  type DataTypeRow,
  dataTypes,
  hasRanges,
  type Scalar,
  typeNumber,
  typesOf,
} from './data-types.ts';
export {
  compareOperators,
  type Expression,
  type Inline,
  type Register,
  type RegisterRange,
  type SetReference,
} from './expressions.ts';
export { type Family, familyLabel, familyNumber, familyOf } from './family.ts';
export {
  exists,
  type Field,
  fieldBytes,
  fieldRow,
  fieldsFrom,
  type Need,
  needsOf,
  type Source,
} from './fields.ts';
export { given } from './given.ts';
export {
  answered,
  fieldsRead,
  knownAfter,
  needsOfStatement,
  question,
  sameNeed,
  unmet,
} from './knowledge.ts';
export { markOf, readMark } from './ownership.ts';
export type {
  AnyElement,
  Base,
  Chain,
  ChainType,
  Counter,
  Hook,
  MapElement,
  Policy,
  Rule,
  Ruleset,
  SetOrMap,
  SetShape,
  Table,
  TableName,
} from './ruleset.ts';
export type {
  Limit,
  Log,
  LogLevel,
  MarkOf,
  Masquerade,
  Match,
  Nat,
  NatFlag,
  NatTarget,
  PortTarget,
  Redirect,
  Reject,
  RejectReason,
  SetMark,
  Statement,
  Tally,
  Test,
  TimeUnit,
  TransparentProxy,
  UpdateSet,
  VerdictLookup,
} from './statements.ts';
export type { Data, InlineMap, InlineSet, Key, Named, Part, Range, Verdict } from './values.ts';
