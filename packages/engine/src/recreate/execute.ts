import { engineErrors } from '../errors.ts';
import { sharedNetworkOf } from '../references/index.ts';
import { Attempts } from './attempts.ts';
import { rollBack } from './back.ts';
import { observe, type RecreateDoor } from './door.ts';
import type { RecreatePlan } from './plan.ts';
import { nextStep, type Step } from './steps.ts';
import { type VerifyOptions, whyUnfit } from './verify.ts';

export interface RecreateOptions extends VerifyOptions {
  /** Heeded as long as the old container runs; after that the operation is brought to its end, one way or the other. */
  readonly signal?: AbortSignal | undefined;
}

export interface Recreated {
  readonly id: string;
  readonly oldId: string;
  readonly name: string;
  /** Not undefined: the new container is up, and this is why the old one is still there. Recovery removes it. */
  readonly leftover: unknown;
}

/** Does what the plan says, step by step from what there is, and puts everything back if it cannot be done. */
export async function execute(
  door: RecreateDoor,
  plan: RecreatePlan,
  options: RecreateOptions,
): Promise<Recreated> {
  const operation = new Operation(door, plan, options);
  try {
    return await operation.run();
  } catch (error) {
    if (error instanceof Yielded)
      throw engineErrors.error(
        'ENGINE_CONFLICT',
        `container ${plan.name} is not re-created: ${error.message}`,
      );
    const { operation: name, oldId, name: container, oldRuns } = plan;
    return rollBack(door, { operation: name, oldId, name: container, ran: oldRuns }, error);
  }
}

/** Somebody else is at work, and nothing here is ours to put back. */
class Yielded extends Error {}

/** Trying again changes nothing about it. */
class Unfit extends Error {}

/** Far more than any operation takes. */
const MOST_STEPS = 200;

class Operation {
  readonly #door: RecreateDoor;
  readonly #plan: RecreatePlan;
  readonly #options: RecreateOptions;
  readonly #attempts: Attempts;
  #verified = false;
  #imageMoved = false;
  #stopping = false;

  constructor(door: RecreateDoor, plan: RecreatePlan, options: RecreateOptions) {
    this.#door = door;
    this.#plan = plan;
    this.#options = options;
    this.#attempts = new Attempts(door.clock);
  }

  async run(): Promise<Recreated> {
    const { oldId, name } = this.#plan;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      if (!this.#stopping && this.#options.signal?.aborted)
        throw engineErrors.error('ENGINE_ABORTED', `re-creating container ${name} was called off`, {
          cause: this.#options.signal.reason,
        });
      const observed = await this.#attempts.until('observe', () => observe(this.#door, oldId, name));
      const findings = { verified: this.#verified, imageMoved: this.#imageMoved };
      const step = nextStep(this.#plan, observed, findings);
      if (step.do === 'finish') return { id: step.container, oldId, name, leftover: undefined };
      try {
        await this.#perform(step);
      } catch (error) {
        if (await this.#attempts.worthwhile(step.do, error)) continue;
        if (step.do !== 'remove old') throw error;
        // What is up and verified stays, whatever becomes of the old one.
        return { id: observed.holder?.id ?? '', oldId, name, leftover: error };
      }
    }
    throw new Unfit('it comes to no end: somebody undoes what is done');
  }

  async #perform(step: Exclude<Step, { readonly do: 'finish' }>): Promise<void> {
    const { containers, networks } = this.#door;
    const plan = this.#plan;
    switch (step.do) {
      case 'set aside':
        await this.#checkTarget();
        await containers.rename(plan.oldId, plan.aside);
        return;
      case 'create':
        await this.#create(step.image);
        return;
      case 'discard':
        this.#imageMoved = true;
        await containers.remove(step.container, { force: true });
        return;
      case 'connect':
        await networks.connect(step.network, step.container, step.endpoint);
        return;
      case 'stop old':
        await this.#checkTarget();
        this.#stopping = true;
        await containers.stop(plan.oldId, { graceS: plan.graceS });
        return;
      case 'start':
        this.#stopping = true;
        await containers.start(step.container);
        return;
      case 'verify':
        await this.#verify(step.container);
        return;
      case 'remove old':
        await containers.remove(plan.oldId, { force: true });
        return;
      case 'yield':
        throw new Yielded(step.why);
      case 'fail':
        throw new Unfit(step.why);
      default:
        step satisfies never;
    }
  }

  async #create(image: 'by name' | 'by id'): Promise<void> {
    const { request, imageId, name } = this.#plan;
    const Image = image === 'by id' && imageId !== undefined ? imageId : request.Image;
    try {
      await this.#door.containers.create({ ...request, ...(Image === undefined ? {} : { Image }) }, { name });
    } catch (error) {
      // The name is gone while the image, which the old container holds, is still there.
      const unnamed = engineErrors.is(error, 'ENGINE_IMAGE_MISSING') && image === 'by name';
      if (!unnamed || imageId === undefined) throw error;
      this.#imageMoved = true;
    }
  }

  async #verify(container: string): Promise<void> {
    const why = this.#plan.starts
      ? await whyUnfit(this.#door, container, this.#networks(), this.#options)
      : undefined;
    if (why !== undefined) throw new Unfit(`the new container does not do: ${why}`);
    this.#verified = true;
  }

  /** In the network of a container that does not run the new one could not start, and the old one not again. */
  async #checkTarget(): Promise<void> {
    const target = sharedNetworkOf(this.#plan.request.HostConfig?.NetworkMode ?? '');
    if (target === undefined || !this.#plan.starts) return;
    const { name, state } = await this.#door.containers.inspect(target);
    if (!state.running)
      throw engineErrors.error(
        'ENGINE_CONFLICT',
        `container ${name}, whose network is to be shared, does not run: it is ${state.status}`,
      );
  }

  #networks(): string[] {
    const { request, connects } = this.#plan;
    return [
      ...Object.keys(request.NetworkingConfig?.EndpointsConfig ?? {}),
      ...connects.map(({ network }) => network),
    ];
  }
}
