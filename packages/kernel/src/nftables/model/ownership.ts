/**
 * Whose table is it? The owner stands in the table's comment, where an operator sees it, too: `berth/anchord`, or
 * `berth/anchord: words of our own`.
 */
import { badValue } from './data-types.ts';

const OWNER = /^[\w.@-]{1,60}$/;
const MARK = /^berth\/([\w.@-]{1,60})(?:: (.*))?$/s;

export function markOf(owner: string, words: string | undefined): string {
  if (!OWNER.test(owner)) throw badValue(owner, 'an owner (letters, digits and ._@-, up to 60)');
  return words === undefined ? `berth/${owner}` : `berth/${owner}: ${words}`;
}

export interface Mark {
  readonly owner: string;
  readonly words?: string;
}

export function readMark(comment: string | undefined): Mark | undefined {
  const [, owner, words] = MARK.exec(comment ?? '') ?? [];
  if (owner === undefined) return undefined;
  return words === undefined ? { owner } : { owner, words };
}
