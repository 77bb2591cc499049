import type { EndpointSettings } from '@docker/node-sdk';
import type { ContainerDetails } from '../containers/index.ts';
import { recreateLabels } from './marks.ts';
import type { RecreatePlan } from './plan.ts';

/** What there is, as far as it concerns one operation. */
export interface Observed {
  /** The container that is to be replaced, under whatever name. */
  readonly old: ContainerDetails | undefined;
  /** Another container that has its name. */
  readonly holder: ContainerDetails | undefined;
}

/** What one attempt has found out, beyond what can be seen. */
export interface Findings {
  /** The new container was looked at closely, and does what it should. */
  readonly verified: boolean;
  /** The image's name means another image than the old container runs. */
  readonly imageMoved: boolean;
}

export type Step =
  | { readonly do: 'set aside' }
  | { readonly do: 'create'; readonly image: 'by name' | 'by id' }
  | { readonly do: 'discard'; readonly container: string }
  | {
      readonly do: 'connect';
      readonly container: string;
      readonly network: string;
      readonly endpoint: EndpointSettings;
    }
  | { readonly do: 'stop old' }
  | { readonly do: 'start'; readonly container: string }
  | { readonly do: 'verify'; readonly container: string }
  | { readonly do: 'remove old' }
  | { readonly do: 'finish'; readonly container: string }
  /** Somebody else is at work on this container. What there is belongs to them now. */
  | { readonly do: 'yield'; readonly why: string }
  | { readonly do: 'fail'; readonly why: string };

const runs = (container: ContainerDetails): boolean => container.state.running;

/**
 * The next step of an operation, from nothing but what there is: so a retry, a lost answer and a restart of this program
 * all go on where things stand.
 */
export function nextStep(plan: RecreatePlan, { old, holder }: Observed, findings: Findings): Step {
  const replacement = holder?.labels[recreateLabels.operation] === plan.operation ? holder : undefined;
  if (holder !== undefined && replacement === undefined) return beyondUs(plan, holder);
  if (replacement === undefined) return beforeCreation(plan, old, findings);
  const missing = plan.connects.find(({ network }) => replacement.attachments[network] === undefined);
  if (replacement.state.startedAt === undefined) {
    if (plan.imageId !== undefined && replacement.imageId !== plan.imageId)
      return findings.imageMoved
        ? { do: 'fail', why: `image ${plan.imageId} became ${replacement.imageId} on creation` }
        : { do: 'discard', container: replacement.id };
    if (missing !== undefined) return { do: 'connect', container: replacement.id, ...missing };
    if (old !== undefined && runs(old)) return { do: 'stop old' };
    if (plan.starts) return { do: 'start', container: replacement.id };
  }
  if (!findings.verified) return { do: 'verify', container: replacement.id };
  return old === undefined ? { do: 'finish', container: replacement.id } : { do: 'remove old' };
}

function beforeCreation(plan: RecreatePlan, old: ContainerDetails | undefined, findings: Findings): Step {
  if (old === undefined) return { do: 'fail', why: 'it has been removed by somebody else' };
  if (old.name === plan.name) return { do: 'set aside' };
  if (old.name !== plan.aside) return { do: 'yield', why: `it is called ${old.name} by now` };
  return { do: 'create', image: findings.imageMoved ? 'by id' : 'by name' };
}

function beyondUs(plan: RecreatePlan, holder: ContainerDetails): Step {
  return holder.labels[recreateLabels.replaces] === plan.oldId
    ? { do: 'yield', why: `another operation replaces it with ${holder.id.slice(0, 12)}` }
    : { do: 'fail', why: `container ${holder.id.slice(0, 12)} has taken its name` };
}

/** What is to be put back. */
export interface WayBack {
  readonly operation: string;
  readonly oldId: string;
  readonly name: string;
  readonly ran: boolean;
}

export type BackStep =
  | { readonly do: 'stop new'; readonly container: string }
  | { readonly do: 'start old' }
  | { readonly do: 'remove new'; readonly container: string }
  | { readonly do: 'rename back' }
  | { readonly do: 'finish' }
  | { readonly do: 'give up'; readonly why: string };

/**
 * The next step back to how it was. The old container runs again before the new one is removed: whoever finds only the
 * old one knows that nothing but its name is left to put right.
 */
export function nextStepBack(way: WayBack, { old, holder }: Observed, oldStarts: boolean): BackStep {
  if (old === undefined) return { do: 'give up', why: 'the old container is gone' };
  const replacement = holder?.labels[recreateLabels.operation] === way.operation ? holder : undefined;
  const mustStart = way.ran && oldStarts && !runs(old);
  if (replacement !== undefined) {
    if (mustStart && runs(replacement)) return { do: 'stop new', container: replacement.id };
    if (mustStart) return { do: 'start old' };
    return { do: 'remove new', container: replacement.id };
  }
  const isAside = old.name !== way.name;
  // Whoever has taken the name has taken over: the old one must not run beside it.
  if (isAside && holder !== undefined)
    return { do: 'give up', why: `container ${holder.id.slice(0, 12)} has the name ${way.name}` };
  if (mustStart) return { do: 'start old' };
  return isAside ? { do: 'rename back' } : { do: 'finish' };
}
