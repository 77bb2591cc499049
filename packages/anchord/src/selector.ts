/** The label selector: which containers belong to this anchor, when the Compose project does not decide it. */
import { anchordErrors } from './errors.ts';

/** One label that a container has to carry with exactly this value. */
export interface LabelPredicate {
  readonly key: string;
  readonly value: string;
}

/**
 * `key=value` pairs, comma separated, all of which have to hold. Sorted by key; empty when the text is blank. Throws
 * `SELECTOR_INVALID`.
 */
export function parseLabelSelector(text: string): readonly LabelPredicate[] {
  const pairs = new Map<string, string>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const equals = entry.indexOf('=');
    if (equals < 0) throw invalid(`label selector entry ${quote(entry)} missing '='`);
    const key = entry.slice(0, equals).trim();
    const value = entry.slice(equals + 1).trim();
    if (key === '') throw invalid(`label selector entry ${quote(entry)} has empty key`);
    const earlier = pairs.get(key);
    if (earlier !== undefined && earlier !== value) {
      throw invalid(
        `label selector has duplicate key ${quote(key)} with conflicting values ${quote(earlier)} and ${quote(value)}`,
      );
    }
    pairs.set(key, value);
  }
  return Array.from(pairs, ([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1));
}

export const matches = (
  selector: readonly LabelPredicate[],
  labels: Readonly<Record<string, string>>,
): boolean => selector.every(({ key, value }) => labels[key] === value);

/** As it stands in the log and as Docker's label filter takes it. */
export const formatSelector = (selector: readonly LabelPredicate[]): string =>
  selector.map(formatPredicate).join(',');

export const formatPredicate = ({ key, value }: LabelPredicate): string => `${key}=${value}`;

const invalid = (message: string) => anchordErrors.error('SELECTOR_INVALID', message);
const quote = (text: string): string => JSON.stringify(text);
