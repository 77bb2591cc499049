/** What is wrong with a ruleset, before the kernel sees it. The kernel knows widths, not types, and errs in silence. */
import { kernelErrors } from '../../errors.ts';
import type { Ruleset, Table } from '../model/index.ts';
import { circleProblems } from './check-jumps.ts';
import { tallyProblems } from './check-numbers.ts';
import { chainProblems } from './check-rules.ts';
import { setProblems } from './check-sets.ts';

/** As `nft` reads them. */
const NAME = /^[A-Za-z_.][\w/.-]{0,254}$/;

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
    ...chains.flatMap((chain) => [...chainProblems(table, chain)]),
    ...circleProblems(table),
    ...counters.flatMap(({ name: own, tally }) =>
      Array.from(tally === undefined ? [] : tallyProblems(tally), (problem) => `counter ${own}: ${problem}`),
    ),
  ];
}
