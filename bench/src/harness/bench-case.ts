import type { Scope } from '@berth/service';
import type { Stand } from '../lab/stand.ts';
import type { Timing } from './measure.ts';

/** One line of a result: who did what, and the figures. */
export interface Row {
  /** What was done: `1000 elements, all new`. */
  readonly work: string;
  /** Who did it: `berth`, or the peer that did the same in the same run. */
  readonly by: string;
  readonly figures: Readonly<Record<string, number>>;
}

export interface BenchContext {
  /** Ends what a case started, whatever happens. */
  readonly scope: Scope;
  /** Fewer rounds: to see whether it works, not how fast. */
  readonly quick: boolean;
  readonly say: (line: string) => void;
  /** A real engine on a real LAN, with nothing on it; one for all cases. */
  readonly stand: () => Promise<Stand>;
}

export interface BenchCase {
  readonly name: string;
  /** What is measured, in one sentence. */
  readonly about: string;
  /** The unit of the figures. */
  readonly unit: string;
  readonly needsRoot: boolean;
  /** Measured with the flags under which the programs are shipped, in a process of its own. */
  readonly asShipped?: boolean;
  run(context: BenchContext): Promise<readonly Row[]>;
}

export const timingRow = (work: string, by: string, { p50, p99, max, rounds }: Timing): Row => ({
  work,
  by,
  figures: { p50, p99, max, rounds },
});
