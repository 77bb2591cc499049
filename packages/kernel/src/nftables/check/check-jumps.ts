import type { Chain, Data, Rule, Statement, Table } from '../model/index.ts';

/** What a verdict goes to has to be there, and to wait for being gone to. */
export function* jumpProblems({ chains }: Table, data: Data): Generator<string> {
  if (!('chain' in data)) return;
  const target = chains.find(({ name }) => name === data.chain);
  if (target === undefined) yield `there is no chain ${data.chain} to go to`;
  else if (target.base !== undefined) yield `chain ${data.chain} is a base chain: nothing can go to it`;
}

/** A packet that goes round in a circle never arrives. */
export function* circleProblems(table: Table): Generator<string> {
  const targets = new Map(table.chains.map((chain) => [chain.name, targetsOf(table, chain)]));
  for (const { name } of table.chains) {
    if (reachable(targets, name).has(name)) yield `chain ${name} leads back to itself`;
  }
}

function reachable(targets: ReadonlyMap<string, readonly string[]>, from: string): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...(targets.get(from) ?? [])];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...(targets.get(name) ?? []));
  }
  return found;
}

const targetsOf = (table: Table, { rules }: Chain): readonly string[] =>
  rules.flatMap(({ statements }: Rule) =>
    statements.flatMap((statement) =>
      answersOf(table, statement).flatMap((data) => ('chain' in data ? [data.chain] : [])),
    ),
  );

function answersOf({ sets }: Table, statement: Statement): readonly Data[] {
  if (statement.kind === 'verdict') return [statement.verdict];
  if (statement.kind !== 'vmap') return [];
  const { map } = statement;
  if ('entries' in map) return map.entries.map(({ data }) => data);
  const named = sets.find(({ name }) => name === map.name);
  return named?.kind === 'map' ? named.elements.map(({ data }) => data) : [];
}
