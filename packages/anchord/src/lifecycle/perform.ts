/** Carries out a network-anchor's steps, and says how they went. */
import type { Log } from '@berth/service/log';
import { lifecycleMessages as messages } from '../messages/index.ts';
import type { LifeContainer } from './observe.ts';
import type { LifeStep } from './plan.ts';
import { MovedOn, type Repairs, StartFailed } from './repairs.ts';

export type LifeSource = 'backfill' | 'event' | 'event/sa-gone' | 'poll';

interface PerformerParts {
  readonly repairs: Repairs;
  readonly log: Log;
}

type Of<Do extends LifeStep['do']> = Extract<LifeStep, { readonly do: Do }>;

export class LifePerformer {
  readonly #repairs: Repairs;
  readonly #log: Log;

  constructor({ repairs, log }: PerformerParts) {
    this.#repairs = repairs;
    this.#log = log;
  }

  async perform(step: LifeStep, source: LifeSource, signal: AbortSignal): Promise<void> {
    switch (step.do) {
      case 'start sibling':
        return await this.#start(step.container, step.target, source);
      case 'start stranded':
        return await this.#start(step.container, step.owner, source);
      case 'start managed':
        return await this.#start(step.anchor, step.target, `managed/${source}`);
      case 'create managed':
        return await this.#create(step, source);
      case 'recreate managed':
        return await this.#recreate(step, source, signal);
      case 'restart managed':
        return await this.#rejoin(step.anchor, step.target, source);
      case 'rejoin':
        return await this.#rejoin(step.container, step.owner, source);
      case 'rebind':
        return await this.#rebind(step, source, signal);
    }
  }

  async #start(container: LifeContainer, owner: LifeContainer, source: string): Promise<void> {
    const attrs = { sibling: container.id, target: owner.name, source };
    try {
      await this.#repairs.start(container);
      this.#log.say(messages.startingSibling, attrs);
    } catch (err) {
      this.#log.say(messages.siblingFailed, { ...attrs, err });
    }
  }

  async #create({ spec, target }: Of<'create managed'>, source: string): Promise<void> {
    const attrs = { name: spec.name, target: target.name };
    try {
      const id = await this.#repairs.createManaged(spec);
      this.#log.say(messages.createdManaged, { ...attrs, id, source });
    } catch (err) {
      const started = err instanceof StartFailed;
      if (started) this.#log.say(messages.startFailed, { ...attrs, err: err.cause });
      else this.#log.say(messages.createFailed, { ...attrs, err });
    }
  }

  async #recreate(step: Of<'recreate managed'>, source: string, signal: AbortSignal): Promise<void> {
    const { anchor, target, spec, reason, ownImageId } = step;
    const attrs = { name: spec.name, target: target.name };
    this.#log.say(messages.needsRecreate, {
      ...attrs,
      source,
      reason,
      ...(reason === 'stale_netns' ? { sa_netmode: anchor.networkMode, current_target_id: target.id } : {}),
      ...(reason === 'image_drift' ? { sa_image_id: anchor.imageId, parent_image_id: ownImageId } : {}),
    });
    await this.#unlessMovedOn(
      signal,
      async () => {
        const { id, leftover } = await this.#repairs.replaceManaged(anchor, spec, signal);
        this.#log.say(messages.createdManaged, { ...attrs, id, source });
        if (leftover !== undefined) this.#log.say(messages.removeFailed, { name: spec.name, err: leftover });
      },
      (err) => this.#log.say(messages.createFailed, { ...attrs, err }),
    );
  }

  async #rejoin(container: LifeContainer, owner: LifeContainer, source: string): Promise<void> {
    const attrs = { dependent: container.name, dependent_id: container.id, target: owner.name };
    await this.#unlessMovedOn(
      undefined,
      async () => {
        await this.#repairs.restart(container);
        this.#log.say(messages.rejoining, { ...attrs, source });
      },
      (err) => this.#log.say(messages.rejoinFailed, { ...attrs, err }),
    );
  }

  async #rebind(
    { container, owner, reference, starts }: Of<'rebind'>,
    source: string,
    signal: AbortSignal,
  ): Promise<void> {
    const dependent = container.name;
    await this.#unlessMovedOn(
      signal,
      async () => {
        const networkMode = `container:${owner.id}`;
        const { id } = await this.#repairs.rebind(container, { networkMode, starts }, signal);
        const attrs = { dependent, old_id: container.id, new_id: id, new_target: owner.id, source };
        this.#log.say(messages.rebound, attrs);
      },
      (err) =>
        this.#log.say(messages.rebindFailed, {
          dependent,
          dependent_id: container.id,
          stale_target: reference,
          new_target: owner.id,
          err,
        }),
    );
  }

  /** Somebody else was faster, or we are at our end: neither is worth a warning. */
  async #unlessMovedOn(
    signal: AbortSignal | undefined,
    deed: () => Promise<void>,
    onError: (error: unknown) => void,
  ): Promise<void> {
    try {
      await deed();
    } catch (error) {
      if (!(error instanceof MovedOn) && signal?.aborted !== true) onError(error);
    }
  }
}
