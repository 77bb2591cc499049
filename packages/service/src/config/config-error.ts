import type { CodedError } from '../errors.ts';
import { serviceErrors } from '../service-errors.ts';
import type { Reading } from './schema.ts';
import type { Problem } from './source.ts';

type Outcome = Pick<Reading<unknown>, 'values' | 'problems'>;
type ValuesOfAll<R extends readonly Outcome[]> = {
  -readonly [I in keyof R]: Exclude<R[I]['values'], undefined>;
};

/** One error for all that is wrong, in the words that operators grep for: `config: <first>; <second>`. */
export function configError(problems: readonly Problem[]): CodedError<'CONFIG_INVALID'> {
  const text = `config: ${problems.map((problem) => problem.text).join('; ')}`;
  return serviceErrors.error('CONFIG_INVALID', text, { details: { problems } });
}

/** The values of one or more readings, or one error with the problems of all of them. */
export function configOf<const R extends readonly Outcome[]>(...readings: R): ValuesOfAll<R> {
  const problems = readings.flatMap((reading) => reading.problems);
  if (problems.length > 0) throw configError(problems);
  return readings.map(({ values }) => values) as ValuesOfAll<R>;
}
