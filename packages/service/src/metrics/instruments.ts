import type { Family, LabelArgs, Labels } from './family.ts';
import { SeriesSet } from './series.ts';

/** One family with its series, as the registry sees it. */
export interface Instrument {
  readonly family: Family;
  /** The lines of all series, without HELP and TYPE. */
  samples(): Iterable<string>;
}

interface Cell {
  value: number;
}

const zero = (): Cell => ({ value: 0 });

export class Counter<L extends Labels> implements Instrument {
  readonly family: Family;
  readonly #series: SeriesSet<Cell>;

  constructor(family: Family) {
    this.family = family;
    this.#series = new SeriesSet(family, zero);
  }

  inc(...labels: LabelArgs<L>): void {
    this.#series.at(labels).value += 1;
  }

  /** A counter never goes back: what is negative or no number is left out. */
  add(by: number, ...labels: LabelArgs<L>): void {
    if (by >= 0) this.#series.at(labels).value += by;
  }

  value(...labels: LabelArgs<L>): number {
    return this.#series.at(labels).value;
  }

  samples(): Iterable<string> {
    return cellSamples(this.family.name, this.#series);
  }
}

export class Gauge<L extends Labels> implements Instrument {
  readonly family: Family;
  readonly #series: SeriesSet<Cell>;

  constructor(family: Family) {
    this.family = family;
    this.#series = new SeriesSet(family, zero);
  }

  set(value: number, ...labels: LabelArgs<L>): void {
    this.#series.at(labels).value = value;
  }

  add(by: number, ...labels: LabelArgs<L>): void {
    this.#series.at(labels).value += by;
  }

  /** Takes the series away, until it is set again. */
  remove(...labels: LabelArgs<L>): void {
    this.#series.remove(labels);
  }

  value(...labels: LabelArgs<L>): number {
    return this.#series.at(labels).value;
  }

  samples(): Iterable<string> {
    return cellSamples(this.family.name, this.#series);
  }
}

function* cellSamples(name: string, series: SeriesSet<Cell>): Generator<string> {
  for (const [labels, { value }] of series.entries()) {
    yield `${name}${labels === '' ? '' : `{${labels}}`} ${formatted(value)}`;
  }
}

interface Distribution {
  /** How many values fell into each bucket and in none below it; the last one is for all above. */
  readonly counts: number[];
  sum: number;
}

export class Histogram<L extends Labels> implements Instrument {
  readonly family: Family;
  readonly #series: SeriesSet<Distribution>;

  constructor(family: Family) {
    this.family = family;
    this.#series = new SeriesSet(family, () => ({
      counts: new Array<number>(family.buckets.length + 1).fill(0),
      sum: 0,
    }));
  }

  /** What is no number is left out. */
  observe(value: number, ...labels: LabelArgs<L>): void {
    if (Number.isNaN(value)) return;
    const distribution = this.#series.at(labels);
    const found = this.family.buckets.findIndex((bound) => value <= bound);
    const bucket = found < 0 ? this.family.buckets.length : found;
    distribution.counts[bucket] = (distribution.counts[bucket] ?? 0) + 1;
    distribution.sum += value;
  }

  *samples(): Generator<string> {
    const { name, buckets } = this.family;
    for (const [labels, { counts, sum }] of this.#series.entries()) {
      const prefix = labels === '' ? '' : `${labels},`;
      let below = 0;
      for (const [index, count] of counts.entries()) {
        below += count;
        yield `${name}_bucket{${prefix}le="${formatted(buckets[index] ?? Number.POSITIVE_INFINITY)}"} ${below}`;
      }
      const suffix = labels === '' ? '' : `{${labels}}`;
      yield `${name}_sum${suffix} ${formatted(sum)}`;
      yield `${name}_count${suffix} ${below}`;
    }
  }
}

function formatted(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
