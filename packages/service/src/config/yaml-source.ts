/** YAML text → tree of values with their places. The parser is loaded when the first file is read, not before. */
import type { Alias, ErrorCode, LineCounter, Node, Pair, Scalar, YAMLMap } from 'yaml';
import { Findings, type MapNode, type Place, type Problem, quoted, type SourceNode, Spot } from './source.ts';

type Yaml = typeof import('./yaml-parser.ts').yaml;

/** More than any sensible file has: where aliases multiply or lead back to themselves, this is the end. */
const MOST_NODES = 50_000;
const DEEPEST = 64;

const tooMuch = 'the file is too large or too deep once its aliases are filled in';

/** Where the parser speaks to programmers. */
const plainWords: Partial<Record<ErrorCode, string>> = {
  MULTIPLE_DOCS: 'a second document begins here, and there may be only one',
  RESOURCE_EXHAUSTION: tooMuch,
};

/** The tree, or what is wrong with the text. An empty text is an empty mapping. */
export async function parseYaml(text: string): Promise<SourceNode | readonly Problem[]> {
  const { yaml } = await import('./yaml-parser.ts');
  const lines = new yaml.LineCounter();
  // The parser compares each key with each other one; we know better when we have them in a map.
  const options = { lineCounter: lines, merge: true, prettyErrors: false, uniqueKeys: false } as const;
  const document = yaml.parseDocument(text, options);
  const faults = [...document.errors, ...document.warnings];
  const exhausted = faults.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  if (faults.length > 0) {
    return (exhausted === undefined ? faults : [exhausted]).map(({ code, message, pos }) => ({
      key: '',
      text: plainWords[code] ?? message,
      place: placeAt(lines, pos[0]),
    }));
  }
  const walk = new Walk(yaml, lines);
  const root = walk.read(document.contents, { line: 1, column: 1 }, 0);
  // What follows from the end of a reading says nothing.
  if (walk.end !== undefined) return [walk.end];
  if (walk.findings.problems.length > 0) return walk.findings.problems;
  return isNull(root) ? { type: 'map', entries: new Map() } : root;
}

const placeAt = (lines: LineCounter, offset: number): Place => {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
};

const isNull = (node: SourceNode): boolean => node.type === 'scalar' && node.value === null;

class Walk {
  readonly findings = new Findings();
  /** Why it was given up. */
  end: Problem | undefined;
  readonly #spot = new Spot('', this.findings);
  readonly #yaml: Yaml;
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, Node>();
  #aliases = 0;
  #nodes = 0;

  constructor(yaml: Yaml, lines: LineCounter) {
    this.#yaml = yaml;
    this.#lines = lines;
  }

  read(node: unknown, around: Place, depth: number): SourceNode {
    this.#nodes += 1;
    if (this.#nodes > MOST_NODES || depth > DEEPEST) return this.#tooMuch(around);
    const { isAlias, isMap, isNode, isScalar, isSeq } = this.#yaml;
    if (!isNode(node)) return nothing(around);
    const place = this.#placeOf(node, around);
    if (isAlias(node)) return this.#aliased(node, place, depth);
    if (node.anchor !== undefined && this.#aliases === 0) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node, place);
    if (isMap(node)) return this.#mapping(node, place, depth);
    if (isSeq(node)) {
      return { type: 'list', items: node.items.map((item) => this.read(item, place, depth + 1)), place };
    }
    return nothing(place);
  }

  #aliased({ source }: Alias, place: Place, depth: number): SourceNode {
    const target = this.#anchors.get(source);
    if (target === undefined) {
      this.#spot.failAt(`there is no anchor &${source} before this alias`, place);
      return nothing(place);
    }
    // What is found on the way through an alias was met before, and must not shadow an anchor that came later.
    this.#aliases += 1;
    const node = this.read(target, place, depth + 1);
    this.#aliases -= 1;
    return node;
  }

  #mapping(map: YAMLMap, place: Place, depth: number): MapNode {
    const entries = new Map<string, SourceNode>();
    const keyPlaces = new Map<string, Place>();
    const merged: SourceNode[] = [];
    for (const pair of map.items) {
      const key = this.#key(pair, place);
      const at = this.#yaml.isNode(pair.key) ? this.#placeOf(pair.key, place) : place;
      const value = this.read(pair.value, at, depth + 1);
      if (key === '<<') merged.push(value);
      else if (key !== undefined) {
        if (entries.has(key)) this.#spot.failAt(`${quoted(key)} is in this mapping already`, at);
        entries.set(key, value);
        keyPlaces.set(key, at);
      }
    }
    for (const source of merged.flatMap((node) => (node.type === 'list' ? node.items : [node]))) {
      if (source.type !== 'map') this.#spot.fail('only a mapping can be merged with <<', source);
      else for (const [key, value] of source.entries) if (!entries.has(key)) entries.set(key, value);
    }
    return { type: 'map', entries, keyPlaces, place };
  }

  #key({ key }: Pair, place: Place): string | undefined {
    if (this.#yaml.isScalar(key)) return typeof key.value === 'string' ? key.value : (key.source ?? '<<');
    this.#spot.failAt('a key has to be a plain word', place);
    return undefined;
  }

  #placeOf(node: Node, around: Place): Place {
    return node.range ? placeAt(this.#lines, node.range[0]) : around;
  }

  #scalar({ value, source, tag }: Scalar, place: Place): SourceNode {
    switch (typeof value) {
      case 'string':
        return { type: 'scalar', text: value, value, place };
      case 'number':
      case 'bigint':
      case 'boolean':
        // The text as it was written: a password of digits must not lose its leading zero or its last digits.
        return { type: 'scalar', text: source ?? String(value), value, place };
      default:
        if (value !== null) this.#spot.failAt(`nothing here is written as ${tag ?? 'this'}`, place);
        return nothing(place);
    }
  }

  #tooMuch(place: Place): SourceNode {
    this.end ??= { key: '', text: tooMuch, place };
    return nothing(place);
  }
}

const nothing = (place: Place): SourceNode => ({ type: 'scalar', text: '', value: null, place });
