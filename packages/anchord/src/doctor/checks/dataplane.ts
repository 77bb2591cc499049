/** From what Docker says to what the kernel has: the ports, the tables, the path to each backend, who listens there. */
import { engineErrors } from '@berth/engine';
import { type Change, diff, Nftables } from '@berth/kernel/nftables';
import {
  type DataplaneShape,
  type DesiredDataplane,
  type DnatEntries,
  dataplaneRuleset,
  describeChange,
  desiredDataplane,
  type ForwardFilter,
  forwardFilterFor,
  keyOf,
  rulesetOwner,
} from '../../dataplane/index.ts';
import {
  type Backend,
  type Discovery,
  fromDetails,
  fromSummary,
  ObservedWorld,
  type SharedNetworkPicker,
  settledNetwork,
  sharedNetworkPicker,
} from '../../discovery/index.ts';
import type { Protocol } from '../../labels.ts';
import { type Finding, fine, found, type Outcome, skipped } from '../outcome.ts';
import type { Site } from '../site.ts';

const otherRole = skipped('only a network-anchor serves ports');

export interface Served {
  readonly discovery: Discovery;
  readonly desired: DesiredDataplane;
}

const served = new WeakMap<Site, Promise<Served>>();

/** What should be served, worked out afresh from Docker. */
export function whatShouldBe(site: Site): Promise<Served> {
  const known = served.get(site) ?? workOut(site);
  served.set(site, known);
  return known;
}

async function workOut(site: Site): Promise<Served> {
  const { engine, signal } = site.parts;
  const { discriminator } = site.anchor().scope;
  const inScope = (labels: Readonly<Record<string, string>>): boolean =>
    discriminator.every(({ key, value }) => labels[key] === value);
  const world = new ObservedWorld();
  world.replace((await site.containers()).filter(({ labels }) => inScope(labels)).map(fromSummary));
  for (let open = world.unresolved(); open.size > 0; open = world.unresolved()) {
    for (const ref of open) {
      const details = await engine.containers.inspect(ref, { signal }).catch((error: unknown) => {
        if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return undefined;
        throw error;
      });
      world.learn(ref, details === undefined ? undefined : fromDetails(details));
    }
  }
  const discovery = world.discover(await picker(site));
  return { discovery, desired: desiredDataplane(discovery.backends, holders(site, discovery.backends)) };
}

/** As the process has chosen, whose choice depends on what it saw first. */
async function picker(site: Site): Promise<SharedNetworkPicker> {
  const { external, sharedNetwork: pin } = site.anchor();
  const ownNetworks = Object.keys((await site.self()).attachments);
  const externalNetwork = external.kind === 'network' ? external.network : undefined;
  const fresh = sharedNetworkPicker({ ownNetworks, externalNetwork, pin });
  const network = site.told()?.sharedNetwork;
  return pin !== undefined || network === undefined
    ? fresh
    : { ...fresh, choice: { kind: 'settled', network } };
}

/** Who has each port now keeps it, where several want it. */
function holders(site: Site, backends: readonly Backend[]): DnatEntries {
  const byName = new Map(backends.map((backend) => [backend.name, backend]));
  const entries = (site.told()?.ports ?? []).flatMap(({ family, port, container }) => {
    const backend = byName.get(container);
    const [protocol, number] = port.split('/');
    if (backend === undefined || (family !== 'v4' && family !== 'v6')) return [];
    const address = family === 'v4' ? backend.ipv4 : backend.ipv6;
    if (address === undefined) return [];
    const externalPort = Number(number);
    const entry = {
      family,
      protocol: protocol as Protocol,
      externalPort,
      backendPort: 0,
      address,
      backend,
    } as const;
    return [[keyOf(entry), entry] as const];
  });
  return new Map(entries);
}

export async function portConflicts(site: Site): Promise<Outcome> {
  if (site.parts.role !== 'network-anchor') return otherRole;
  const { desired } = await whatShouldBe(site);
  return found(
    desired.conflicts.map(({ key, holder, refused }) => ({
      subject: key,
      detail: `held by ${holder.name}, refused to ${refused.map(({ name }) => name).join(', ')}`,
    })),
    `${desired.entries.size} ports`,
  );
}

/** One of the kinds of what keeps a container from being served. */
export const unserved =
  (kind: Discovery['problems'][number]['kind']) =>
  async (site: Site): Promise<Outcome> => {
    if (site.parts.role !== 'network-anchor') return otherRole;
    const { discovery } = await whatShouldBe(site);
    const findings = discovery.problems.flatMap((problem): Finding[] => {
      if (problem.kind !== kind) return [];
      const detail =
        problem.kind === 'invalid-labels'
          ? problem.error
          : problem.kind === 'contradictory-labels'
            ? problem.ports.join(', ')
            : problem.sharedNetwork === ''
              ? 'we share no network with it'
              : `it is not on ${problem.sharedNetwork}`;
      return [{ subject: problem.container, detail }];
    });
    return found(findings);
  };

/** The kernel is what it is: any form of ours that it can have been given counts, and none is written to find out. */
export async function tables(site: Site): Promise<Outcome> {
  if (site.parts.role !== 'network-anchor') return otherRole;
  const externalInterface = (await site.externalLink())?.name;
  if (externalInterface === undefined) return skipped('there is no external interface');
  const { entries } = (await whatShouldBe(site)).desired;
  using nftables = Nftables.open();
  const inForce = nftables.read(rulesetOwner).ruleset;
  const changes = shapes(externalInterface, await forwardFilters(site, externalInterface))
    .map((shape): readonly Change[] => diff(inForce, dataplaneRuleset(shape, entries)))
    .reduce((best, other) => (other.length < best.length ? other : best));
  if (changes.length === 0) return fine(`${entries.size} ports in ${inForce.tables.length} tables`);
  return found([{ subject: '', detail: differences(changes), step: { do: 'write tables' } }]);
}

/** As an anchor works it out that has seen backends on its shared network, and as one that has not. */
export async function forwardFilters(
  site: Site,
  externalInterface: string,
): Promise<readonly [ForwardFilter, ForwardFilter]> {
  const { external, forwardFilter: wanted } = site.anchor();
  if (!wanted) return [{ kind: 'off' }, { kind: 'off' }];
  const { picker } = (await whatShouldBe(site)).discovery;
  const standing = {
    attachments: (await site.self()).attachments,
    links: site.parts.network.links.list(),
    addresses: site.parts.network.addresses.list(),
    externalInterface,
    externalNetwork: external.kind === 'network' ? external.network : undefined,
  };
  const settled = forwardFilterFor({ ...standing, sharedNetwork: settledNetwork(picker) });
  return [settled, forwardFilterFor({ ...standing, sharedNetwork: undefined })];
}

const mostShown = 6;

function differences(changes: readonly Change[]): string {
  const shown = changes.slice(0, mostShown).map(describeChange);
  const more = changes.length > mostShown ? [`and ${changes.length - mostShown} more`] : [];
  return `to be done: ${[...shown, ...more].join(', ')}`;
}

function shapes(externalInterface: string, filters: readonly ForwardFilter[]): readonly DataplaneShape[] {
  const guards = ['local-address', 'external-interface'] as const;
  const hairpins = ['by-interface', 'by-mark'] as const;
  return filters.flatMap((forwardFilter) =>
    guards.flatMap((v4) =>
      guards.flatMap((v6) =>
        hairpins.map((hairpin) => ({ externalInterface, forwardFilter, guard: { v4, v6 }, hairpin })),
      ),
    ),
  );
}
