/** What is wrong with a ruleset, before the kernel sees it. The kernel knows widths, not types, and errs in silence. */
import { kernelErrors } from '../../errors.ts';
import { type DataType, dataTypes, hasRanges } from './data-types.ts';
import { type Field, fieldRow } from './fields.ts';
import { fieldsRead, knownAfter } from './knowledge.ts';
import type { Chain, Ruleset, SetOrMap, Table } from './ruleset.ts';
import type { Statement } from './statements.ts';
import type { Data } from './values.ts';

/** As `nft` reads them. */
const NAME = /^[A-Za-z_.][\w/.-]{0,254}$/;
const MOST_KEY_BYTES = 64;
const MOST_KEY_TYPES = 5;
/** Every kernel's clock ticks in such steps; a finer timeout would come back as another one. */
const TIMEOUT_STEP_MS = 100;

/** Throws one error that names everything that is wrong. */
export function checkRuleset(ruleset: Ruleset): void {
  const problems = problemsOf(ruleset);
  if (problems.length === 0) return;
  throw kernelErrors.error(
    'NFTABLES_UNSOUND',
    `the ruleset of ${ruleset.owner} is not sound: ${problems.join('; ')}`,
    {
      details: { owner: ruleset.owner, problems },
    },
  );
}

export function problemsOf({ tables }: Ruleset): string[] {
  return [
    ...duplicates(tables.map(({ family, name }) => `table ${family} ${name}`)),
    ...tables.flatMap((table) =>
      tableProblems(table).map((problem) => `table ${table.family} ${table.name}: ${problem}`),
    ),
  ];
}

const duplicates = (names: readonly string[]): string[] =>
  names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} is there twice`);

function tableProblems(table: Table): string[] {
  const { name, counters, sets, chains } = table;
  const named = [
    ...chains.map((chain) => `chain ${chain.name}`),
    ...sets.map((set) => `set or map ${set.name}`),
    ...counters.map((counter) => `counter ${counter.name}`),
  ];
  const names = [name, ...[...chains, ...sets, ...counters].map((thing) => thing.name)];
  return [
    ...names.filter((text) => !NAME.test(text)).map((text) => `${JSON.stringify(text)} is no name`),
    ...duplicates(named),
    ...sets.flatMap((set) =>
      Array.from(setProblems(table, set), (problem) => `${set.kind} ${set.name}: ${problem}`),
    ),
    ...chains.flatMap((chain) => chainProblems(table, chain)),
  ];
}

function* setProblems(table: Table, set: SetOrMap): Generator<string> {
  const bytes = set.key.reduce((sum, type) => sum + Math.ceil(dataTypes[type].bytes / 4) * 4, 0);
  if (set.key.length === 0) yield 'its keys have no type';
  if (set.key.length > MOST_KEY_TYPES || bytes > MOST_KEY_BYTES) yield 'its keys are too long';
  if (set.intervals === true && !set.key.every(hasRanges))
    yield 'values of its types have no order for ranges';
  if (set.kind === 'map' && set.data.length === 0) yield 'its data has no type';
  const timed = set.timeouts === true || set.timeoutMs !== undefined;
  for (const { timeoutMs } of [set, ...set.elements]) {
    if (timeoutMs === undefined) continue;
    if (!timed) yield 'an element has a timeout, and the set takes none';
    if (timeoutMs <= 0 || timeoutMs % TIMEOUT_STEP_MS !== 0) {
      yield `a timeout of ${timeoutMs} ms is not a multiple of ${TIMEOUT_STEP_MS} ms`;
    }
  }
  if (set.kind !== 'map') return;
  for (const { data } of set.elements) yield* jumpProblems(table, data);
}

const isBase = (chain: Chain): boolean => chain.base !== undefined;

function* jumpProblems({ chains }: Table, data: Data): Generator<string> {
  if (!('chain' in data)) return;
  const target = chains.find(({ name }) => name === data.chain);
  if (target === undefined) yield `there is no chain ${data.chain} to go to`;
  else if (isBase(target)) yield `chain ${data.chain} is a base chain: nothing can go to it`;
}

function chainProblems(table: Table, chain: Chain): string[] {
  return chain.rules.flatMap(({ statements }, index) =>
    statements.flatMap((statement, place) =>
      [
        ...statementProblems(table, statement),
        ...portProblems(statement, statements.slice(0, place)),
        ...contradictions(table, statement, statements.slice(0, place)),
      ].map((problem) => `chain ${chain.name}, rule ${index + 1}: ${problem}`),
    ),
  );
}

function* statementProblems(table: Table, statement: Statement): Generator<string> {
  switch (statement.kind) {
    case 'match':
      if (statement.test.is === 'in')
        yield* lookupProblems(table, statement.fields, statement.test.set, 'set');
      return;
    case 'verdict':
      yield* jumpProblems(table, statement.verdict);
      return;
    case 'vmap':
      yield* lookupProblems(table, statement.fields, statement.map, 'map');
      if (!('entries' in statement.map)) return;
      for (const { data } of statement.map.entries) yield* jumpProblems(table, data);
      return;
    case 'nat':
      if ('map' in statement.to) yield* lookupProblems(table, statement.to.fields, statement.to.map, 'map');
      return;
    case 'update-set':
      yield* lookupProblems(table, statement.fields, { name: statement.set }, 'set');
      if (!table.sets.some((set) => set.name === statement.set && set.dynamic === true)) {
        yield `set ${statement.set} is not dynamic: rules cannot change it`;
      }
      return;
    case 'counter':
      if (statement.name !== undefined && !table.counters.some(({ name }) => name === statement.name)) {
        yield `there is no counter ${statement.name}`;
      }
      return;
    default:
  }
}

function* lookupProblems(
  { sets }: Table,
  read: readonly Field[],
  target: object,
  kind: 'set' | 'map',
): Generator<string> {
  if (read.length === 0) yield 'it looks up nothing';
  if (!('name' in target)) return;
  const set = sets.find(({ name }) => name === target.name);
  if (set?.kind !== kind) {
    yield `there is no ${kind} ${target.name}`;
    return;
  }
  const types: readonly DataType[] = read.map((field) => fieldRow(field).type);
  if (types.join() !== set.key.join()) {
    yield `${kind} ${set.name} is keyed by ${set.key.join(' . ')}, not by ${types.join(' . ')}`;
  }
}

/** A packet is of one protocol: a rule that asks for two never matches. */
function contradictions(table: Table, statement: Statement, before: readonly Statement[]): string[] {
  const known = knownAfter(table.family, before);
  return knownAfter(table.family, [statement]).flatMap(({ field, value }) => {
    const other = known.find((fact) => fact.field === field && fact.value !== value);
    return other === undefined ? [] : [`a packet that is ${other.value} is never ${value}`];
  });
}

/** Only some protocols have ports: a packet of another one would have something else rewritten. */
function portProblems(statement: Statement, before: readonly Statement[]): string[] {
  if (!rewritesPort(statement)) return [];
  const read = [...before, statement].flatMap(fieldsRead);
  const asked = read.some((field) => field === 'meta l4proto' || fieldRow(field).transport !== undefined);
  return asked ? [] : ['a port is rewritten, and no match before it says of which transport protocol'];
}

function rewritesPort(statement: Statement): boolean {
  switch (statement.kind) {
    case 'nat':
      return 'port' in statement.to;
    case 'masquerade':
      return statement.ports !== undefined;
    case 'redirect':
    case 'tproxy':
      return statement.port !== undefined;
    default:
      return false;
  }
}
