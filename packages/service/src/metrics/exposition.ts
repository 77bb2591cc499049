/** Reads the text exposition format, strictly: for tests, written from the format's description and not from our writer. */

export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ReadSample[];
}

/** The families by name. Throws at the first line that breaks a rule of the format. */
export function readExposition(text: string): ReadonlyMap<string, ReadFamily> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no line feed');
  const reader = new Reader();
  for (const line of text.split('\n').slice(0, -1)) reader.line(line);
  return reader.families;
}

interface OpenFamily extends ReadFamily {
  type: string;
  readonly samples: ReadSample[];
}

class Reader {
  readonly families = new Map<string, OpenFamily>();
  readonly #seen = new Set<string>();
  #current = '';

  line(line: string): void {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/s.exec(line);
    if (comment === null) {
      this.#sample(readSample(line), line);
      return;
    }
    const [, what, name = '', rest = ''] = comment;
    if (what === 'HELP') this.#help(name, rest);
    else this.#type(name, rest);
    this.#current = name;
  }

  #help(name: string, help: string): void {
    if (this.families.has(name)) throw new Error(`${name}: two HELP lines`);
    this.families.set(name, { type: 'untyped', help, samples: [] });
  }

  #type(name: string, type: string): void {
    const family = this.families.get(name);
    if (family === undefined || family.samples.length > 0) throw new Error(`${name}: TYPE is out of place`);
    if (!['counter', 'gauge', 'histogram'].includes(type)) throw new Error(`${name}: no such type ${type}`);
    family.type = type;
  }

  #sample(sample: ReadSample, line: string): void {
    const family = this.families.get(this.#current);
    if (family === undefined) throw new Error(`a sample without a family: ${line}`);
    if (!belongs(sample.name, this.#current, family.type)) {
      throw new Error(`${sample.name} stands under ${this.#current}`);
    }
    const identity = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (this.#seen.has(identity)) throw new Error(`the same series twice: ${line}`);
    this.#seen.add(identity);
    family.samples.push(sample);
  }
}

const belongs = (sample: string, family: string, type: string): boolean =>
  type === 'histogram'
    ? [`${family}_bucket`, `${family}_sum`, `${family}_count`].includes(sample)
    : sample === family;

function readSample(line: string): ReadSample {
  const match = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/s.exec(line);
  if (match === null) throw new Error(`this is no sample: ${line}`);
  const [, name = '', braces = '{}', value = ''] = match;
  return { name, labels: readLabels(braces.slice(1, -1), line), value: readValue(value, line) };
}

function readLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const label = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
  while (label.lastIndex < text.length) {
    const match = label.exec(text);
    if (match === null) throw new Error(`bad labels: ${line}`);
    const [, name = '', value = ''] = match;
    if (name in labels) throw new Error(`the label ${name} twice: ${line}`);
    labels[name] = value.replace(/\\(["\\n])/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return labels;
}

function readValue(text: string, line: string): number {
  const special: Readonly<Record<string, number>> = {
    NaN: Number.NaN,
    '+Inf': Number.POSITIVE_INFINITY,
    '-Inf': Number.NEGATIVE_INFINITY,
  };
  if (text in special) return special[text] ?? Number.NaN;
  if (!/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new Error(`this is no value: ${line}`);
  return Number(text);
}
