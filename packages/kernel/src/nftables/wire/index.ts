/** Everything as netlink messages, in both directions. */
export { writeBatch } from './batch.ts';
export {
  addChain,
  addCounter,
  addElements,
  addRule,
  addSet,
  addTable,
  type Command,
  deleteChain,
  deleteCounter,
  deleteElements,
  deleteRule,
  deleteSet,
  deleteTable,
  flushChain,
  flushSet,
  SetIds,
  setPolicy,
} from './commands.ts';
export { type GenerationEvent, readGeneration, readGenerationEvent } from './generation.ts';
export { NFNLGRP_NFTABLES } from './message-numbers.ts';
export { readTable } from './read-table.ts';
export { readTableHeaders, type TableHeader } from './table-headers.ts';
