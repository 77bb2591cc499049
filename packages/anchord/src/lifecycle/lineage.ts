/**
 * Whose place a container has taken. Docker keeps a dependent's reference to the id of a container that is gone; only
 * where that container was replaced by an anchor it is certain who stands in for it, and the successor's labels say so,
 * also to an anchor that was started after the replacement.
 */
import { recreateLabels } from '@berth/engine';
import type { LifeContainer } from './observe.ts';

export const lineageLabel = 'anchord.replaced';

/** A dependent that was not rebound after so many replacements of its owner will not be. */
const longest = 8;

const predecessorsOf = (labels: Readonly<Record<string, string>>): readonly string[] => [
  ...new Set(
    [...(labels[lineageLabel] ?? '').split(','), labels[recreateLabels.replaces] ?? ''].filter(
      (id) => id !== '',
    ),
  ),
];

/** For the successor of this container. */
export const lineageOf = ({ id, labels }: Pick<LifeContainer, 'id' | 'labels'>): Record<string, string> => ({
  [lineageLabel]: [...predecessorsOf(labels), id].slice(-longest).join(','),
});

/** Who stands in for the container that `reference` meant; undefined where nobody or nobody certain does. */
export function successorOf(reference: string, all: readonly LifeContainer[]): LifeContainer | undefined {
  if (reference.length < 12) return undefined;
  const successors = all.filter(
    ({ labels, isAside }) => !isAside && predecessorsOf(labels).some((id) => id.startsWith(reference)),
  );
  return successors.length === 1 ? successors[0] : undefined;
}
