/** The whole story of an error in one line: its message and, after colons, the causes that it does not tell itself. */
export function errorText(error: unknown): string {
  try {
    return chain(error, 0);
  } catch {
    return 'an error that cannot be read';
  }
}

const LONGEST_CHAIN = 8;

function chain(error: unknown, depth: number): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : String(error);
  const own = ownText(error, depth);
  if (error.cause === undefined || depth >= LONGEST_CHAIN) return own;
  const cause = chain(error.cause, depth + 1);
  return cause === '' || own.includes(cause) ? own : `${own}: ${cause}`;
}

function ownText(error: Error, depth: number): string {
  const message = error.message === '' ? error.name : error.message;
  if (!(error instanceof AggregateError) || depth >= LONGEST_CHAIN) return message;
  const parts = error.errors.map((part) => chain(part, depth + 1)).join('; ');
  return error.message === '' ? parts : `${message}: ${parts}`;
}
