import type { Ruleset } from '../index.ts';

/** A ruleset that we promise to get right. */
export interface Shape {
  readonly name: string;
  readonly ruleset: Ruleset;
}
