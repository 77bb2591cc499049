/** Times something again and again. */

export interface MeasureOptions {
  readonly rounds: number;
  /** Rounds before, that do not count. */
  readonly warmUp?: number;
  /** Ends earlier when the rounds have taken this long together, but not before ten of them. */
  readonly withinMs?: number;
  readonly now?: () => number;
}

export interface Timing {
  readonly rounds: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const FEWEST_ROUNDS = 10;

/** Runs it again and again; `run` gets the number of the round, warm-up included. */
export async function measure(
  {
    rounds,
    warmUp = Math.ceil(rounds / 10),
    withinMs = 20_000,
    now = () => performance.now(),
  }: MeasureOptions,
  run: (round: number) => void | Promise<void>,
): Promise<Timing> {
  const samples: number[] = [];
  let spentMs = 0;
  for (let round = 0; round < warmUp + rounds; round++) {
    if (spentMs > withinMs && samples.length >= FEWEST_ROUNDS) break;
    const start = now();
    await run(round);
    const tookMs = now() - start;
    if (round < warmUp) continue;
    spentMs += tookMs;
    samples.push(tookMs);
  }
  return timingOf(samples);
}

/** The same done in two ways, in turns, each first as often as the other: what else the machine does meets both alike. */
export async function measureInTurns(
  { rounds, withinMs = 20_000, now = () => performance.now() }: Omit<MeasureOptions, 'warmUp'>,
  ours: (round: number) => void | Promise<void>,
  bare: (round: number) => void | Promise<void>,
): Promise<{ readonly ours: Timing; readonly bare: Timing }> {
  const ways = [
    { run: ours, samples: [] as number[] },
    { run: bare, samples: [] as number[] },
  ] as const;
  const start = now();
  for (let round = 0; round < rounds; round++) {
    if (now() - start > withinMs && round >= FEWEST_ROUNDS) break;
    for (const { run, samples } of round % 2 === 0 ? ways : ways.toReversed()) {
      const begun = now();
      await run(round);
      samples.push(now() - begun);
    }
  }
  const [one, other] = ways;
  return { ours: timingOf(one.samples), bare: timingOf(other.samples) };
}

export function timingOf(samples: readonly number[]): Timing {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    rounds: sorted.length,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    max: sorted.at(-1) ?? Number.NaN,
  };
}

/** The smallest sample that at least this part of all samples does not exceed. */
export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

export const median = (values: readonly number[]): number =>
  percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
