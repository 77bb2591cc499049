/** What is wrong with a ruleset, before the kernel sees it. The kernel knows widths, not types, and errs in silence. */
import { kernelErrors } from '../../errors.ts';
import type { Change } from '../diff/index.ts';
import type { Ruleset, SetOrMap, Table } from '../model/index.ts';
import { circleProblems } from './check-jumps.ts';
import { tallyProblems } from './check-numbers.ts';
import { chainProblems } from './check-rules.ts';
import { setProblems } from './check-sets.ts';

/** As `nft` reads them. */
const NAME = /^[A-Za-z_.][\w/.-]{0,254}$/;

/** Throws one error that names everything that is wrong. */
export const checkRuleset = (ruleset: Ruleset): void => refuse(ruleset, problemsOf(ruleset));

/**
 * The same for a ruleset that is to be reached by changes. Where nothing but elements comes and goes, all else is in force
 * already, and only the sets that these are in are looked at: a map of one port more must not cost a look at every rule.
 */
export function checkChanges(desired: Ruleset, changes: readonly Change[]): void {
  if (!changes.every(isAboutElements)) {
    checkRuleset(desired);
    return;
  }
  const sets = new Map(changes.map(({ set, table }) => [set, table]));
  refuse(
    desired,
    Array.from(sets).flatMap(([set, { family, name }]) => {
      const table = desired.tables.find((one) => one.family === family && one.name === name);
      return table === undefined ? [] : problemsOfSet(table, set).map((problem) => inTable(table, problem));
    }),
  );
}

type ElementChange = Extract<Change, { change: 'add-elements' | 'delete-elements' | 'empty-set' }>;

const isAboutElements = (one: Change): one is ElementChange =>
  one.change === 'add-elements' || one.change === 'delete-elements' || one.change === 'empty-set';

function refuse({ owner }: Ruleset, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw kernelErrors.error(
    'NFTABLES_UNSOUND',
    `the ruleset of ${owner} is not sound: ${problems.join('; ')}`,
    { details: { owner, problems } },
  );
}

export function problemsOf({ tables }: Ruleset): string[] {
  return [
    ...duplicates(tables.map(({ family, name }) => `table ${family} ${name}`)),
    ...tables.flatMap((table) => tableProblems(table).map((problem) => inTable(table, problem))),
  ];
}

const inTable = ({ family, name }: Table, problem: string): string => `table ${family} ${name}: ${problem}`;

const problemsOfSet = (table: Table, set: SetOrMap): string[] =>
  Array.from(setProblems(table, set), (problem) => `${set.kind} ${set.name}: ${problem}`);

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
    ...sets.flatMap((set) => problemsOfSet(table, set)),
    ...chains.flatMap((chain) => [...chainProblems(table, chain)]),
    ...circleProblems(table),
    ...counters.flatMap(({ name: own, tally }) =>
      Array.from(tally === undefined ? [] : tallyProblems(tally), (problem) => `counter ${own}: ${problem}`),
    ),
  ];
}
