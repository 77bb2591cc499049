/** From the manifest of a lease to running, verified containers. What a provision and a replacement have in common. */
import type { Clock } from '@berth/service';
import { failureText, type Lease, type LeaseItem, type Operation } from '../lease/index.ts';
import { parseStoredManifest, type StackManifest } from '../manifest/index.ts';
import type { SkuCatalogue } from '../placement/index.ts';
import { Slots } from '../slots.ts';
import {
  type ContainerPlan,
  containerPlan,
  type Instance,
  instancesOf,
  type StackSettings,
} from '../stack/index.ts';
import type { ContainerHandling } from './handling.ts';
import type { ImageFacts, ImageInspection } from './image-facts.ts';
import type { Binds, InstanceVolumes, VolumesWork } from './instance-volumes.ts';
import type { TenantNetworks } from './networks.ts';
import { inStartOrder, together } from './order.ts';
import type { ImagePulls } from './pulls.ts';
import type { Startup } from './startup.ts';
import { step } from './step-failure.ts';

export interface DeploymentContext {
  readonly settings: StackSettings;
  readonly catalogue: SkuCatalogue;
  readonly isolation: boolean;
  readonly clock: Clock;
  readonly pulls: ImagePulls;
  readonly inspection: ImageInspection;
  readonly networks: TenantNetworks;
  readonly volumes: InstanceVolumes;
  readonly handling: ContainerHandling;
  readonly startup: Startup;
  /** The manifest of a release, as it was stored. */
  readonly manifest: (lease: string, release: number) => Uint8Array | undefined;
}

/** One container of the lease, planned and perhaps made. */
export interface Planned {
  readonly instance: Instance;
  readonly plan: ContainerPlan;
  readonly binds: Binds;
}

export interface Made extends Planned {
  readonly id: string;
}

/** How many containers are being made at the same time, over all leases. */
const parallelCreates = 16;

export class Deployment {
  readonly #context: DeploymentContext;
  readonly #creates = new Slots(parallelCreates);

  constructor(context: DeploymentContext) {
    this.#context = context;
  }

  /** The manifest that a release of the lease has; undefined when none is known. */
  stack(lease: string, release: number | undefined): StackManifest | undefined {
    const bytes = release === undefined ? undefined : this.#context.manifest(lease, release);
    return bytes && parseStoredManifest(bytes).stack;
  }

  /** The containers that the items of a lease make of a manifest; throws when a SKU is not known any more. */
  instances(
    lease: Pick<Lease, 'uuid'>,
    items: readonly LeaseItem[],
    stack: StackManifest,
  ): readonly Instance[] {
    return instancesOf(lease, items, stack, this.#context.catalogue);
  }

  /** Brings every image of the stack up to date. */
  async pull({ services }: StackManifest, signal: AbortSignal): Promise<void> {
    const images = [...new Set(Array.from(services.values(), ({ image }) => image))];
    const pullAll = () => together(images, signal, (image, one) => this.#context.pulls.pull(image, one));
    await step(failureText.imagePull, pullAll, 'ImagePullFailed');
  }

  /** What is known of the image of each service. */
  async inspect({ services }: StackManifest, signal: AbortSignal): Promise<ReadonlyMap<string, ImageFacts>> {
    const facts = new Map<string, ImageFacts>();
    const inspectAll = () =>
      together([...services], signal, async ([name, { image, user }], one) => {
        facts.set(name, await this.#context.inspection.facts(image, user, one));
      });
    await step(failureText.imageInspect, inspectAll);
    return facts;
  }

  /** The volume of each instance that needs one, one after the other. */
  async volumes(
    lease: Lease,
    instances: readonly Instance[],
    facts: ReadonlyMap<string, ImageFacts>,
    work: VolumesWork,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Instance, Binds>> {
    const binds = new Map<Instance, Binds>();
    const prepareAll = async (): Promise<void> => {
      for (const instance of instances) {
        signal.throwIfAborted();
        const known = facts.get(instance.service);
        if (known === undefined) continue;
        binds.set(instance, await this.#context.volumes.prepare(lease, instance, known, work, signal));
      }
    };
    await step(failureText.volume, prepareAll);
    return binds;
  }

  /** What each instance is to be, on the network of the tenant. */
  async plan(
    lease: Lease,
    { id: operationId }: Operation,
    instances: readonly Instance[],
    facts: ReadonlyMap<string, ImageFacts>,
    binds: ReadonlyMap<Instance, Binds>,
  ): Promise<readonly Planned[]> {
    const { settings, isolation, networks, clock } = this.#context;
    const network = isolation
      ? await step(failureText.network, () => networks.ensure(lease.tenant))
      : undefined;
    const createdAtMs = clock.now();
    return instances.map((instance) => {
      const { runAs = { uid: 0, gid: 0 }, volumes = [] } = facts.get(instance.service) ?? {};
      const surroundings = {
        network,
        runAs,
        imageVolumes: volumes,
        binds: binds.get(instance) ?? new Map(),
        operationId,
        createdAtMs,
      };
      return {
        instance,
        plan: containerPlan(settings, lease, instance, surroundings),
        binds: surroundings.binds,
      };
    });
  }

  /** Makes the containers, each under the name that it is to have for now. Nothing runs yet. */
  async create(
    planned: readonly Planned[],
    nameOf: (instance: Instance) => string,
    signal: AbortSignal,
  ): Promise<readonly Made[]> {
    const made: Made[] = [];
    const createAll = () =>
      together(planned, signal, async (one, each) => {
        const { instance, plan } = one;
        // Only the waiting can be called off: a container that is being made will be there.
        const make = () => this.#context.handling.create(plan, nameOf(instance));
        const id = await this.#creates.run(make, each);
        made.push({ ...one, id });
      });
    await step(failureText.create, createAll);
    return made;
  }

  /** Starts what was made, each after what it waits for. */
  async start({ services }: StackManifest, made: readonly Made[], signal: AbortSignal): Promise<void> {
    const { handling, startup, volumes } = this.#context;
    const ofService = (name: string): readonly Made[] =>
      made.filter(({ instance }) => instance.service === name);
    const startAll = () =>
      inStartOrder(services, signal, async ({ service, after, signal: one }) => {
        for (const [target, condition] of after)
          await together(ofService(target), one, ({ id }, each) => startup.until(condition, id, each));
        await together(ofService(service), one, async ({ id, binds }) => {
          await volumes.recheck(binds);
          startup.begin(id);
          await handling.start(id);
        });
      });
    await step(failureText.create, startAll);
  }

  /** Waits until all of them count as started; rejects as soon as one cannot any more. */
  async verify(made: readonly Made[], signal: AbortSignal): Promise<void> {
    const { startup } = this.#context;
    const verifyAll = () =>
      together(made, signal, ({ instance, id }, one) => startup.verify(instance, id, one));
    await step(failureText.exitedDuringStartup, verifyAll);
  }
}
