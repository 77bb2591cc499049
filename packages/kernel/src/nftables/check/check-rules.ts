import {
  type Chain,
  type DataType,
  type Field,
  fieldRow,
  fieldsRead,
  type InlineMap,
  knownAfter,
  type Named,
  type Rule,
  type Statement,
  type Table,
} from '../model/index.ts';
import { jumpProblems } from './check-jumps.ts';
import { numberProblem, numberProblems } from './check-numbers.ts';

const LEAST_PRIORITY = -(2 ** 31);
const MOST_PRIORITY = 2 ** 31 - 1;

/** What is wrong with a chain and its rules. */
export function* chainProblems(table: Table, { name, base, rules }: Chain): Generator<string> {
  const priority = base?.priority ?? 0;
  for (const problem of numberProblem('its priority', priority, LEAST_PRIORITY, MOST_PRIORITY)) {
    yield `chain ${name}: ${problem}`;
  }
  for (const [index, one] of rules.entries()) {
    for (const problem of ruleProblems(table, one)) yield `chain ${name}, rule ${index + 1}: ${problem}`;
  }
}

function* ruleProblems(table: Table, { statements }: Rule): Generator<string> {
  if (statements.length === 0) yield 'it says nothing';
  for (const [index, statement] of statements.entries()) {
    const before = statements.slice(0, index);
    yield* statementProblems(table, statement);
    yield* numberProblems(statement);
    yield* portProblems(table, statement, before);
    yield* resetProblems(table, statement, before);
    yield* contradictions(table, statement, before);
  }
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

/** `nft` would ask for TCP by itself, at the start of the rule, where it changes what the rest of the rule means. */
function resetProblems(table: Table, statement: Statement, before: readonly Statement[]): string[] {
  if (statement.kind !== 'reject' || statement.reason !== 'tcp-reset') return [];
  const isTcp = knownAfter(table.family, before).some(({ value }) => value === 'tcp');
  return isTcp ? [] : ['only TCP can be reset, and no match before it says that it is TCP'];
}

/** Only some protocols have ports: a packet of another one would have something else rewritten. */
function portProblems(table: Table, statement: Statement, before: readonly Statement[]): string[] {
  if (!rewritesPort(table, statement)) return [];
  const asked =
    before.some(asksForTransport) || [...before, statement].flatMap(fieldsRead).some(hasTransport);
  const inKey = fieldsRead(statement);
  const found = asked || (inKey.includes('meta l4proto') && inKey.some(isPort));
  return found ? [] : ['a port is rewritten, and no match before it says of which transport protocol'];
}

const hasTransport = (field: Field): boolean => fieldRow(field).transport !== undefined;
const isPort = (field: Field): boolean => fieldRow(field).type === 'inet_service';

const asksForTransport = (statement: Statement): boolean =>
  statement.kind === 'match' && statement.fields.length === 1 && statement.fields[0] === 'meta l4proto';

function rewritesPort(table: Table, statement: Statement): boolean {
  switch (statement.kind) {
    case 'nat':
      return 'map' in statement.to ? answersPort(table, statement.to.map) : statement.to.port !== undefined;
    case 'masquerade':
      return statement.ports !== undefined;
    case 'redirect':
    case 'tproxy':
      return statement.port !== undefined;
    default:
      return false;
  }
}

function answersPort({ sets }: Table, map: Named | InlineMap): boolean {
  if ('entries' in map) return map.entries.some(({ data }) => 'length' in data && data.length > 1);
  const named = sets.find(({ name }) => name === map.name);
  return named?.kind === 'map' && named.data !== 'verdict' && named.data.length > 1;
}
