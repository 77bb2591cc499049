/** Configuration from a YAML file, with environment variables that beat some of its keys. */
import { readFile, stat } from 'node:fs/promises';
import { serviceErrors } from '../service-errors.ts';
import type { Environment } from './environment.ts';
import type { Fields } from './kind.ts';
import { readMapping } from './object.ts';
import type { Lookup, Reading, Schema, ValuesOf } from './schema.ts';
import { Findings, INVALID, nameOf, type Problem, Spot } from './source.ts';
import { parseYaml } from './yaml-source.ts';

export interface YamlOptions {
  readonly env?: Environment;
  /** Keys that no field claims: noted in the reading, or refused. */
  readonly unknownKeys?: 'note' | 'refuse';
}

const LARGEST_FILE_BYTES = 1024 * 1024;

/** Reads a file. One that is missing, unreadable or too large is an error of its own; the rest stands in the reading. */
export async function readYamlFile<F extends Fields>(
  schema: Schema<F>,
  file: string,
  options: YamlOptions = {},
): Promise<Reading<ValuesOf<F>>> {
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > LARGEST_FILE_BYTES) throw new Error(`it has ${size} bytes, more than ${LARGEST_FILE_BYTES}`);
    text = decoded(await readFile(file));
  } catch (cause) {
    const message = `the configuration file ${file} cannot be read`;
    throw serviceErrors.error('CONFIG_UNREADABLE', message, { cause, details: { file } });
  }
  const reading = await readYaml(schema, text, options);
  return { ...reading, problems: reading.problems.map((problem) => inFile(file, problem)) };
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error('it is not UTF-8', { cause });
  }
}

const inFile = (file: string, problem: Problem): Problem => {
  const { place } = problem;
  const where = place === undefined ? file : `${file}:${place.line}:${place.column}`;
  return { ...problem, text: `${where}: ${problem.text}` };
};

export async function readYaml<F extends Fields>(
  schema: Schema<F>,
  text: string,
  { env = {}, unknownKeys = 'note' }: YamlOptions = {},
): Promise<Reading<ValuesOf<F>>> {
  const tree = await parseYaml(text);
  if (!('type' in tree)) return { values: undefined, problems: tree, given: new Set(), unknown: [] };
  const findings = new Findings();
  const spot = new Spot('', findings);
  if (tree.type !== 'map') {
    spot.fail(`the configuration must be a mapping, not ${nameOf(tree)}`, tree);
    return { values: undefined, problems: findings.problems, given: new Set(), unknown: [] };
  }
  const { values, given } = readMapping(schema, tree, spot, fromEnvironment(env));
  const unknown = findings.unknown.filter(({ key }) => !Object.hasOwn(schema.ignored, key));
  const problems = [...(unknownKeys === 'refuse' ? unknown.map(unknownProblem) : []), ...findings.problems];
  return { values: values === INVALID || problems.length > 0 ? undefined : values, problems, given, unknown };
}

const unknownProblem = ({ key, meant, place }: Reading<unknown>['unknown'][number]): Problem => ({
  key,
  text: `${key} is no known key${meant === undefined ? '' : ` (did you mean ${meant}?)`}`,
  ...(place === undefined ? {} : { place }),
});

const fromEnvironment =
  (env: Environment): Lookup =>
  (field, spot) => {
    if (field.env === undefined) return undefined;
    const { variable, skipInvalid = false } = field.env;
    const at = new Spot(variable, new Findings());
    const found = field.readVariable(env[variable] ?? '', at);
    if (found === undefined || (found.value === INVALID && skipInvalid)) return undefined;
    spot.findings.add(at.findings);
    return found;
  };
