import { errnoError } from '../errors.ts';

/** Hands back a result, or throws what it stands for. `what` says what was tried, on what. */
export function expectSuccess(
  result: number,
  what: () => string,
  details?: Readonly<Record<string, unknown>>,
): number {
  if (result >= 0) return result;
  throw errnoError(-result, what(), details === undefined ? {} : { details });
}
