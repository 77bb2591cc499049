/** What a configuration comes in, whatever it was written in: a tree of values that know where they stand. */

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface ScalarNode {
  readonly type: 'scalar';
  /** As it was written, without quotes. */
  readonly text: string;
  /** As the source understands it: in an environment always the text. */
  readonly value: string | number | bigint | boolean | null;
  readonly place?: Place;
}

interface ListNode {
  readonly type: 'list';
  readonly items: readonly SourceNode[];
  readonly place?: Place;
}

export interface MapNode {
  readonly type: 'map';
  readonly entries: ReadonlyMap<string, SourceNode>;
  /** Where the keys stand. */
  readonly keyPlaces?: ReadonlyMap<string, Place>;
  readonly place?: Place;
}

export type SourceNode = ScalarNode | ListNode | MapNode;

export const textNode = (text: string): ScalarNode => ({ type: 'scalar', text, value: text });

const LONGEST_QUOTE = 80;

/** What was written, as a message quotes it: of something long the beginning. */
export const quoted = (text: string): string =>
  text.length <= LONGEST_QUOTE ? `"${text}"` : `"${text.slice(0, LONGEST_QUOTE - 3)}..."`;

/** What a person would call it. */
export function nameOf(node: SourceNode): string {
  if (node.type === 'list') return 'a list';
  if (node.type === 'map') return 'a mapping';
  switch (typeof node.value) {
    case 'number':
    case 'bigint':
      return `the number ${node.text}`;
    case 'boolean':
      return `the boolean ${node.text}`;
    case 'string':
      return quoted(node.text);
    default:
      return 'nothing';
  }
}

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** The variable, or the path to the key. */
  readonly key: string;
  /** The whole sentence, with the key in it. */
  readonly text: string;
  readonly place?: Place;
}

/** A key that no field claims. */
export interface UnknownKey {
  readonly key: string;
  /** The known key that was probably meant. */
  readonly meant?: string;
  readonly place?: Place;
}

export const INVALID: unique symbol = Symbol('invalid');
export type Invalid = typeof INVALID;

/** What a reading finds on the way, all of it. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly unknown: UnknownKey[] = [];

  add({ problems, unknown }: Findings): void {
    this.problems.push(...problems);
    this.unknown.push(...unknown);
  }
}

/** Where in the configuration a value is read, and where to complain about it. */
export class Spot {
  readonly name: string;
  readonly findings: Findings;

  constructor(name: string, findings: Findings) {
    this.name = name;
    this.findings = findings;
  }

  /** `text` is a whole sentence; begin it with the spot's name. */
  fail(text: string, node?: SourceNode): Invalid {
    return this.failAt(text, node?.place);
  }

  failAt(text: string, place: Place | undefined): Invalid {
    this.findings.problems.push({ key: this.name, text, ...(place === undefined ? {} : { place }) });
    return INVALID;
  }

  /** The same spot, with a list of findings of its own. */
  apart(): Spot {
    return new Spot(this.name, new Findings());
  }

  inside(key: string | number): Spot {
    if (typeof key === 'number') return new Spot(`${this.name}[${key}]`, this.findings);
    return new Spot(this.name === '' ? key : `${this.name}.${key}`, this.findings);
  }
}
