/** A ruleset in the language of `nft`. */
export { toText } from './text.ts';
