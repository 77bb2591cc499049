import type { Statement, Tally } from '../model/index.ts';

const WORD = 0xffff_ffff;
const LONGEST_PREFIX = 127;
/** Every kernel's clock ticks in such steps; a finer timeout would come back as another one. */
const TIMEOUT_STEP_MS = 100;

/** Numbers that do not fit, and texts that would not be read back: nothing else looks at them. */
export function* numberProblems(statement: Statement): Generator<string> {
  switch (statement.kind) {
    case 'limit':
      yield* numberProblem('the rate of a limit', statement.rate, 1, Number.MAX_SAFE_INTEGER);
      yield* numberProblem('the burst of a limit', statement.burst, 0, WORD);
      return;
    case 'log':
      if ('group' in statement.to) yield* numberProblem('the group of a log', statement.to.group, 0, 0xffff);
      if (statement.prefix !== undefined) yield* prefixProblem(statement.prefix);
      return;
    case 'counter':
      if (statement.tally !== undefined) yield* tallyProblems(statement.tally);
      return;
    case 'update-set':
      if (statement.timeoutMs !== undefined) yield* timeoutProblem(statement.timeoutMs);
      return;
    default:
  }
}

export function* numberProblem(what: string, value: number, least: number, most: number): Generator<string> {
  if (!Number.isInteger(value) || value < least || value > most) {
    yield `${what} is ${value}, and has to be a whole number from ${least} to ${most}`;
  }
}

export function* tallyProblems({ packets, bytes }: Tally): Generator<string> {
  yield* numberProblem('a count of packets', packets, 0, Number.MAX_SAFE_INTEGER);
  yield* numberProblem('a count of bytes', bytes, 0, Number.MAX_SAFE_INTEGER);
}

function* prefixProblem(prefix: string): Generator<string> {
  if (Buffer.byteLength(prefix) > LONGEST_PREFIX || /[\0\n"]/.test(prefix)) {
    yield `the prefix ${JSON.stringify(prefix)} of a log is longer than ${LONGEST_PREFIX} bytes, or not plain text`;
  }
}

export function* timeoutProblem(timeoutMs: number): Generator<string> {
  if (timeoutMs > 0 && timeoutMs % TIMEOUT_STEP_MS === 0) return;
  yield `a timeout of ${timeoutMs} ms is not a multiple of ${TIMEOUT_STEP_MS} ms`;
}
