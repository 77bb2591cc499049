import type { Statement } from '../model/index.ts';

/** What the first expressions of a list may mean, and how many of them it takes up. */
export interface Reading {
  readonly statement: Statement;
  readonly taken: number;
}

export const reading = (taken: number, statement: Statement): Reading => ({ statement, taken });
