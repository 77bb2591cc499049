import { CodedError } from '@berth/service';
import { engineErrors } from '../errors.ts';
import { Attempts } from './attempts.ts';
import { observe, type RecreateDoor } from './door.ts';
import { type BackStep, nextStepBack, type WayBack } from './steps.ts';

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Puts the old container back, and says in an error of the whole operation how far that went. */
export async function rollBack(door: RecreateDoor, way: WayBack, cause: unknown): Promise<never> {
  const failed = `container ${way.name} was not re-created: ${reasonOf(cause)}`;
  const details = { id: way.oldId, operation: way.operation };
  const problem = await goBack(door, way).catch(reasonOf);
  if (problem !== undefined)
    throw engineErrors.error('ENGINE_RECREATE_STUCK', `${failed}; and ${problem}`, { cause, details });
  if (cause instanceof CodedError && cause.code === 'ENGINE_ABORTED') throw cause;
  throw engineErrors.error('ENGINE_RECREATE_FAILED', failed, { cause, details });
}

/** Far more than the way back takes. */
const MOST_STEPS = 200;

/** undefined: everything is as it was. Otherwise what is not. */
export async function goBack(door: RecreateDoor, way: WayBack): Promise<string | undefined> {
  const attempts = new Attempts(door.clock);
  let whyNotStarted: unknown;
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const observed = await attempts.until('observe', () => observe(door, way.oldId, way.name));
    const step = nextStepBack(way, observed, whyNotStarted === undefined);
    if (step.do === 'give up') return step.why;
    if (step.do === 'finish')
      return whyNotStarted === undefined
        ? undefined
        : `the old one is back, but does not start: ${reasonOf(whyNotStarted)}`;
    try {
      await perform(door, way, step);
    } catch (error) {
      if (await attempts.worthwhile(step.do, error)) continue;
      if (step.do !== 'start old') throw error;
      whyNotStarted = error;
    }
  }
  return 'somebody undoes what is done to put it back';
}

async function perform(
  { containers }: RecreateDoor,
  way: WayBack,
  step: Exclude<BackStep, { readonly do: 'give up' | 'finish' }>,
): Promise<void> {
  switch (step.do) {
    case 'stop new':
      await containers.stop(step.container);
      return;
    case 'start old':
      await containers.start(way.oldId);
      return;
    case 'remove new':
      // Its volumes are the old one's.
      await containers.remove(step.container, { force: true });
      return;
    case 'rename back':
      await containers.rename(way.oldId, way.name);
      return;
    default:
      step satisfies never;
  }
}
