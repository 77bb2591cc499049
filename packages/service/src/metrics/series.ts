import type { Family, LabelSpec, Labels } from './family.ts';

/** Where values go that have no series of their own any more. */
const OVERFLOW = 'other';

/** The series of one family: found by their label values, bounded in number whatever values come. */
export class SeriesSet<State> {
  readonly #family: Family;
  readonly #names: readonly string[];
  readonly #create: () => State;
  readonly #series = new Map<string, State>();
  readonly #seen = new Map<string, Set<string>>();

  constructor(family: Family, create: () => State) {
    this.#family = family;
    this.#names = Object.keys(family.labels);
    this.#create = create;
    for (const values of family.initial ?? combinations(family.labels)) this.at([values]);
  }

  /** The state of the series with these labels; made when it is not there yet. */
  at(args: readonly (object | undefined)[]): State {
    const key = this.#key(args[0]);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const state = this.#create();
    this.#series.set(key, state);
    return state;
  }

  remove(args: readonly (object | undefined)[]): void {
    this.#series.delete(this.#key(args[0]));
  }

  /** The series with their labels as they are written between the braces. */
  entries(): Iterable<readonly [labels: string, state: State]> {
    return this.#series;
  }

  #key(labels: object | undefined): string {
    if (this.#names.length === 0) return '';
    return this.#names
      .map((name) => {
        const value = String(labels === undefined ? '' : Reflect.get(labels, name)).toWellFormed();
        return `${name}="${escaped(this.#bounded(name, value))}"`;
      })
      .join(',');
  }

  #bounded(name: string, value: string): string {
    const spec: LabelSpec = this.#family.labels[name] ?? [];
    if (!('atMost' in spec)) return spec.includes(value) ? value : OVERFLOW;
    const seen = this.#seen.get(name) ?? new Set();
    this.#seen.set(name, seen);
    if (!seen.has(value) && seen.size >= spec.atMost) return OVERFLOW;
    seen.add(value);
    return value;
  }
}

/** All combinations of the listed values; none when a label is open. */
function combinations(labels: Labels): readonly Readonly<Record<string, string>>[] {
  let all: Readonly<Record<string, string>>[] = [{}];
  for (const [name, spec] of Object.entries(labels)) {
    if ('atMost' in spec) return [];
    all = all.flatMap((values) => spec.map((value) => ({ ...values, [name]: value })));
  }
  return all;
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
