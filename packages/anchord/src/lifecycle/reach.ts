/** Which containers a network-anchor may repair: never one of which nothing says that it is meant. */
import { composeLabels } from '@berth/engine';
import { type LabelPredicate, matches } from '../selector.ts';
import type { LifeContainer } from './observe.ts';

export interface Reach {
  /** The project that is served, and the one that we stand in: beside a wrapped stack these are two. */
  readonly projects: ReadonlySet<string>;
  readonly selector: readonly LabelPredicate[];
}

const anchorLabels = ['anchord.expose', 'anchord.identity', 'anchord.managed-by'];

export const projectOf = (labels: Readonly<Record<string, string>>): string | undefined =>
  labels[composeLabels.project] || undefined;

export function isWithin({ projects, selector }: Reach, { labels }: Pick<LifeContainer, 'labels'>): boolean {
  if (labels[composeLabels.oneOff]?.toLowerCase() === 'true') return false;
  const project = projectOf(labels);
  return (
    (project !== undefined && projects.has(project)) ||
    anchorLabels.some((label) => label in labels) ||
    (selector.length > 0 && matches(selector, labels))
  );
}
