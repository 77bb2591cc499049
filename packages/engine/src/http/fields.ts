import { type EngineError, engineErrors } from '../errors.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads the fields of an answer that we depend on, and says which one is wrong. Docker writes null for what is empty,
 * so an absent list is an empty one.
 */
export class Fields {
  readonly #object: JsonObject;
  readonly #path: string;

  /** `path` is what the messages call the object: "the list of containers". */
  constructor(value: unknown, path: string) {
    this.#path = path;
    if (!isObject(value)) throw this.#wrong('', 'an object', value);
    this.#object = value;
  }

  /** The items of an answer that is a list. */
  static list(value: unknown, path: string): Fields[] {
    if (value === null) return [];
    if (!Array.isArray(value))
      throw engineErrors.error('ENGINE_ANSWER', `${path} is not a list but ${shown(value)}`);
    return value.map((item, index) => new Fields(item, `${path}[${index}]`));
  }

  /** As it came, for what is passed on without being looked at. */
  get raw(): JsonObject {
    return this.#object;
  }

  text(key: string): string {
    const value = this.#object[key];
    if (typeof value !== 'string' || value === '') throw this.#wrong(key, 'a text', value);
    return value;
  }

  /** Absent, null and empty are the same to Docker. */
  maybeText(key: string): string | undefined {
    const value = this.#object[key];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string') throw this.#wrong(key, 'a text', value);
    return value;
  }

  number(key: string): number {
    const value = this.#object[key];
    if (typeof value !== 'number') throw this.#wrong(key, 'a number', value);
    return value;
  }

  maybeNumber(key: string): number | undefined {
    const value = this.#object[key];
    return value === undefined || value === null ? undefined : this.number(key);
  }

  /** Absent is false. */
  flag(key: string): boolean {
    const value = this.#object[key] ?? false;
    if (typeof value !== 'boolean') throw this.#wrong(key, 'true or false', value);
    return value;
  }

  fields(key: string): Fields {
    return new Fields(this.#object[key], this.#below(key));
  }

  maybeFields(key: string): Fields | undefined {
    const value = this.#object[key];
    return value === undefined || value === null ? undefined : this.fields(key);
  }

  /** The fields of each item of a list. */
  list(key: string): Fields[] {
    return Fields.list(this.#object[key] ?? null, this.#below(key));
  }

  texts(key: string): string[] {
    const value = this.#object[key] ?? [];
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
      throw this.#wrong(key, 'a list of texts', value);
    return value;
  }

  /** An object whose values are all texts: labels, options. */
  textMap(key: string): Readonly<Record<string, string>> {
    const map: Record<string, string> = {};
    for (const [name, value] of Object.entries(this.#map(key))) {
      if (typeof value !== 'string') throw this.#wrong(`${key}.${name}`, 'a text', value);
      map[name] = value;
    }
    return map;
  }

  /** An object whose values are objects of one kind, by their keys; what is null in it is left out. */
  each(key: string): [name: string, fields: Fields][] {
    return Object.entries(this.#map(key))
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, new Fields(value, this.#below(`${key}.${name}`))]);
  }

  /** The keys of an object that stands for a set. */
  keys(key: string): string[] {
    return Object.keys(this.#map(key));
  }

  #map(key: string): JsonObject {
    const value = this.#object[key] ?? {};
    if (!isObject(value)) throw this.#wrong(key, 'an object', value);
    return value;
  }

  #below = (key: string): string => (key === '' ? this.#path : `${this.#path}: ${key}`);

  #wrong(key: string, wanted: string, value: unknown): EngineError {
    return engineErrors.error('ENGINE_ANSWER', `${this.#below(key)} is not ${wanted} but ${shown(value)}`);
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
