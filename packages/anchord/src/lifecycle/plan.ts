/** All that a network-anchor would do to the containers around it, from one observation. */
import type { LifeContainer } from './observe.ts';
import { planDependents, type RepairDependent } from './plan-dependents.ts';
import { type ManagedObstacle, type ManagedStep, type ManagedView, planManaged } from './plan-managed.ts';
import { planSiblings, type StartSibling } from './plan-siblings.ts';
import type { Reach } from './reach.ts';

export type LifeStep = StartSibling | ManagedStep | RepairDependent;

export interface LifeView {
  readonly reach: Reach;
  /** Repairs whoever sits in a dead namespace. */
  readonly autofix: boolean;
  /** Absent without a recipe, and as long as it can not be said what it makes. */
  readonly managed: ManagedView | undefined;
}

export interface LifePlan {
  readonly steps: readonly LifeStep[];
  readonly obstacle: ManagedObstacle | undefined;
}

export function planLife(all: readonly LifeContainer[], { reach, autofix, managed }: LifeView): LifePlan {
  const siblings = planSiblings(all, reach);
  const outcome = managed === undefined ? undefined : planManaged(all, managed);
  const step = outcome !== undefined && 'do' in outcome ? outcome : undefined;
  const taken = new Set([...siblings.map(({ container }) => container.id), ...idOf(step)]);
  const dependents = autofix
    ? planDependents(all, reach).filter(
        ({ container, owner }) => !taken.has(container.id) && !taken.has(owner.id),
      )
    : [];
  return {
    steps: [...siblings, ...(step === undefined ? [] : [step]), ...dependents],
    obstacle: outcome !== undefined && 'kind' in outcome ? outcome : undefined,
  };
}

function idOf(step: ManagedStep | undefined): readonly string[] {
  return step === undefined || step.do === 'create managed' ? [] : [step.anchor.id];
}
