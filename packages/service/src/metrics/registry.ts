import type { Family, FamilyType, Labels } from './family.ts';
import { Counter, Gauge, Histogram, type Instrument } from './instruments.ts';

/** A program's or a package's metrics, by the names that the code calls them. */
export type MetricTable = Readonly<Record<string, Family>>;

interface InstrumentTypes<L extends Labels> {
  readonly counter: Counter<L>;
  readonly gauge: Gauge<L>;
  readonly histogram: Histogram<L>;
}

export type Instruments<T extends MetricTable> = {
  readonly [name in keyof T]: InstrumentTypes<T[name]['labels']>[T[name]['type']];
};

/** The media type of what `expose` returns. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * All metrics of a process.
 *
 *     const registry = new Registry();
 *     const metrics = registry.add(anchordMetrics);
 *     metrics.reconciles.inc({ result: 'ok' });
 */
export class Registry {
  readonly #instruments = new Map<string, Instrument>();
  readonly #collectors = new Set<() => void>();
  readonly #onError: (error: unknown) => void;

  /** `onError` hears of collectors that fail; what they would have set keeps its last value. */
  constructor(onError: (error: unknown) => void = () => undefined) {
    this.#onError = onError;
  }

  /** Makes the instruments of a table. */
  add<const T extends MetricTable>(table: T): Instruments<T> {
    const made = Object.entries(table).map(([name, family]) => [name, this.#register(family)] as const);
    return Object.fromEntries(made) as Instruments<T>;
  }

  /** A gauge that is always 1 and says something in its labels: a version, a mode. */
  info(name: string, help: string, labels: Readonly<Record<string, string>>): void {
    const closed = Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, [value]]));
    const family: Family = { type: 'gauge', name, help, labels: closed, initial: undefined, buckets: [] };
    const instrument = new Gauge<Labels>(family);
    instrument.set(1, labels);
    this.#keep(instrument);
  }

  /** Runs before every exposition: for values that are worked out only when somebody asks. */
  onCollect(collect: () => void): () => void {
    this.#collectors.add(collect);
    return () => void this.#collectors.delete(collect);
  }

  /** The text exposition format, families by name. */
  expose(): string {
    for (const collect of this.#collectors) {
      try {
        collect();
      } catch (error) {
        this.#onError(error);
      }
    }
    const byName = [...this.#instruments.values()].sort((a, b) => (a.family.name < b.family.name ? -1 : 1));
    let text = '';
    for (const instrument of byName) {
      const { name, help, type } = instrument.family;
      const samples = [...instrument.samples()];
      if (samples.length === 0) continue;
      text += `# HELP ${name} ${helpText(help)}\n# TYPE ${name} ${type}\n${samples.join('\n')}\n`;
    }
    return text;
  }

  #register(family: Family): Instrument {
    return this.#keep(instrumentFor(family));
  }

  #keep(instrument: Instrument): Instrument {
    const { name } = instrument.family;
    if (this.#instruments.has(name)) throw new RangeError(`the metric ${name} is there twice`);
    this.#instruments.set(name, instrument);
    return instrument;
  }
}

function instrumentFor(family: Family): Instrument {
  const type: FamilyType = family.type;
  switch (type) {
    case 'counter':
      return new Counter(family);
    case 'gauge':
      return new Gauge(family);
    case 'histogram':
      return new Histogram(family);
  }
}

const helpText = (help: string): string => help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
