/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import type { BenchCase } from './bench-case.ts';

export interface BenchOptions {
  readonly chosen: readonly BenchCase[];
  /** A file, or - for standard output. */
  readonly json: string | undefined;
  readonly quick: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

/** The options, or what is wrong with the words. */
export function readOptions(argv: readonly string[], cases: readonly BenchCase[]): BenchOptions | string {
  const parsed = parsedOr(argv);
  if (typeof parsed === 'string') return parsed;
  const { values, positionals } = parsed;
  const stray = positionals.find((word) => !cases.some(({ name }) => name.includes(word)));
  if (stray !== undefined) return `no case has ${JSON.stringify(stray)} in its name`;
  const chosen = cases.filter(
    ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
  );
  return { json: undefined, ...values, chosen };
}

function parsedOr(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        quick: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export const listOf = (cases: readonly BenchCase[]): string =>
  cases.map(({ name, about }) => `${name.padEnd(16)} ${about}`).join('\n');

export const usage = (
  cases: readonly BenchCase[],
): string => `Measures, each time beside a peer or a physical limit in the same run.

Usage: npm run bench -- [WORD]... [OPTION]...

  npm run bench                      everything
  npm run bench -- memory route      the cases whose name has one of the words in it
  npm run bench -- lan --quick       a few rounds: does it work?

Options:
  --quick        few rounds; the figures say nothing
  --json FILE    the figures for programs, too (- for standard output, and no tables)
  --list         what there is
  -h, --help     says this

Exit codes: 0 measured, 1 a case failed, 2 the words cannot be understood.
Cases that need root are left out without it. Those that need a Docker engine bring up a lab of their own.

Cases:
${listOf(cases)}`;
