/**
 * Puts new containers in the place of old ones. The new ones are made first, beside the old ones; then the old ones are
 * stopped and set aside, and stay until the new ones have proved themselves: until then there is a way back, to exactly the
 * containers that ran before. Every step can be repeated, so that a restarted process goes on in the middle.
 */
import { failureText, type Lease, type Operation } from '../lease/index.ts';
import type { StackManifest } from '../manifest/index.ts';
import { containerName, previousName, upcomingName } from '../names/index.ts';
import type { Deployment, Made, Planned } from './deployment.ts';
import type { ContainerHandling } from './handling.ts';
import type { InstanceVolumes } from './instance-volumes.ts';
import { type ContainerListing, isAlive, type LeaseContainer } from './listing.ts';
import { inStopOrder, together } from './order.ts';
import { step } from './step-failure.ts';

/** The containers of a lease as one replacement sees them. */
interface Sides {
  /** Made by this operation, under whatever name. */
  readonly mine: readonly LeaseContainer[];
  /** What ran before, in its place or set aside. */
  readonly old: readonly LeaseContainer[];
  /** Set aside by an earlier operation that did not get to remove it. */
  readonly garbage: readonly LeaseContainer[];
}

export interface ReplacementContext {
  readonly deployment: Deployment;
  readonly handling: ContainerHandling;
  readonly listing: ContainerListing;
  readonly rename: (id: string, name: string) => Promise<void>;
  readonly volumes: Pick<InstanceVolumes, 'back' | 'forward'>;
}

const place = ({ service, index }: { readonly service: string; readonly index: number }): string =>
  `${service}/${index}`;
const never = new AbortController().signal;

export class Replacement {
  readonly #context: ReplacementContext;
  readonly #lease: Lease;
  readonly #operation: Operation;

  constructor(context: ReplacementContext, lease: Lease, operation: Operation) {
    this.#context = context;
    this.#lease = lease;
    this.#operation = operation;
  }

  async sides(): Promise<Sides> {
    const { containers } = await this.#context.listing.ofLease(this.#lease.uuid);
    const mine = containers.filter(({ operationId }) => operationId === this.#operation.id);
    const others = containers.filter(({ operationId }) => operationId !== this.#operation.id);
    const inPlace = new Set(others.filter(({ setAside }) => !setAside).map(place));
    // What is set aside is the way back, unless what it would go back to is still in its place.
    const isGarbage = (one: LeaseContainer): boolean =>
      one.setAside && (inPlace.has(place(one)) || !one.name.endsWith('-prev'));
    return { mine, old: others.filter((one) => !isGarbage(one)), garbage: others.filter(isGarbage) };
  }

  /** Has an earlier attempt at this operation touched any container? */
  async hasBegun(): Promise<boolean> {
    const { mine, old } = await this.sides();
    return mine.length > 0 || old.some(({ setAside }) => setAside);
  }

  /** From the first new container to the last verified one. */
  async run(
    stack: StackManifest,
    oldStack: StackManifest | undefined,
    planned: readonly Planned[],
    phase: <T>(name: 'compose_up' | 'verify_startup', run: () => Promise<T>) => Promise<T>,
    signal: AbortSignal,
  ): Promise<void> {
    const { deployment } = this.#context;
    const made = await phase('compose_up', () => this.#up(stack, oldStack, planned, signal));
    await phase('verify_startup', () => deployment.verify(made, signal));
  }

  async #up(
    stack: StackManifest,
    oldStack: StackManifest | undefined,
    planned: readonly Planned[],
    signal: AbortSignal,
  ): Promise<readonly Made[]> {
    const { deployment } = this.#context;
    const made = await step(failureText.create, () => this.#make(planned, signal));
    signal.throwIfAborted();
    await step(failureText.create, () => this.#setAside(oldStack));
    await step(failureText.create, () => this.#takePlace(made));
    await deployment.start(stack, made, signal);
    return made;
  }

  /** Makes what this operation has not made yet, under a name beside the old one. */
  async #make(planned: readonly Planned[], signal: AbortSignal): Promise<readonly Made[]> {
    const { deployment, handling } = this.#context;
    const { mine, garbage } = await this.sides();
    await together(garbage, never, ({ id }) => handling.remove(id));
    const known = new Map(mine.map((one) => [place(one), one.id]));
    const adopted = planned.flatMap((one) => {
      const id = known.get(place(one.instance));
      return id === undefined ? [] : [{ ...one, id }];
    });
    const missing = planned.filter(({ instance }) => !known.has(place(instance)));
    return [...adopted, ...(await deployment.create(missing, upcomingName, signal))];
  }

  /** Stops what runs, dependents first, and frees its names. */
  async #setAside(oldStack: StackManifest | undefined): Promise<void> {
    const { handling, rename } = this.#context;
    const { old } = await this.sides();
    const inPlace = old.filter(({ setAside }) => !setAside);
    const stop = ({ id }: LeaseContainer): Promise<void> => handling.stop(id, undefined);
    if (oldStack !== undefined)
      await inStopOrder(oldStack.services, never, ({ service, signal }) =>
        together(
          inPlace.filter((one) => one.service === service),
          signal,
          stop,
        ),
      );
    await together(inPlace, never, async (one) => {
      await stop(one);
      await rename(one.id, previousName(one));
    });
  }

  async #takePlace(made: readonly Made[]): Promise<void> {
    const { rename } = this.#context;
    const { mine } = await this.sides();
    const waiting = new Set(mine.filter(({ setAside }) => setAside).map(({ id }) => id));
    await together(
      made.filter(({ id }) => waiting.has(id)),
      never,
      ({ id, instance }) => rename(id, containerName(instance)),
    );
  }

  /** The new ones have proved themselves: the old ones go. */
  async dropOld(): Promise<void> {
    const { old, garbage } = await this.sides();
    await together([...old, ...garbage], never, ({ id }) => this.#context.handling.remove(id));
    await this.#context.volumes.forward(this.#lease.uuid);
  }

  /** Removes what this operation has made, and brings back what ran before. Rejects when that is not all of it again. */
  async back(oldStack: StackManifest | undefined, signal: AbortSignal): Promise<void> {
    const { deployment, handling, rename, volumes } = this.#context;
    const { mine, old } = await this.sides();
    await together(mine, never, ({ id }) => handling.remove(id));
    await volumes.back(this.#lease.uuid, this.#operation.id);
    if (oldStack === undefined) throw new Error('the manifest of what ran before is not known');
    const instances = deployment.instances(this.#lease, this.#lease.items, oldStack);
    const byPlace = new Map(old.map((one) => [place(one), one]));
    const made = instances.map((instance): Made => {
      const found = byPlace.get(place(instance));
      if (found === undefined)
        throw new Error(`the old container of ${place(instance)} is not there any more`);
      return {
        instance,
        plan: { name: containerName(instance), request: {} },
        binds: new Map(),
        id: found.id,
      };
    });
    await together(
      old.filter(({ setAside }) => setAside),
      never,
      (one) => rename(one.id, containerName(one)),
    );
    const asleep = new Set(old.filter(({ status }) => !isAlive(status)).map(({ id }) => id));
    await deployment.start(
      oldStack,
      made.filter(({ id }) => asleep.has(id)),
      signal,
    );
    await deployment.verify(made, signal);
  }
}
