/** From observed containers to backends: who exposes what, and under which address we reach it. */
import { sharedNetworkOf } from '@berth/engine';
import type { Ipv4, Ipv6 } from '@berth/kernel/ip';
import { type ExposedPort, type ExposeLabels, parseExposeLabels } from '../labels.ts';
import { onceFor } from '../once-for.ts';
import type { Attachment, ObservedContainer } from './container.ts';
import { chosenNetwork, pickSharedNetwork, type SharedNetworkPicker } from './shared-network.ts';

export interface Backend {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly ipv4: Ipv4 | undefined;
  /** Absent when the container has none, or when its label switches mirroring off. */
  readonly ipv6: Ipv6 | undefined;
  readonly ports: readonly ExposedPort[];
}

/** What keeps a labelled container from being served (or served as its label says). */
export type DiscoveryProblem =
  | {
      readonly kind: 'invalid-labels';
      readonly id: string;
      readonly container: string;
      readonly error: string;
    }
  | {
      readonly kind: 'contradictory-labels';
      readonly id: string;
      readonly container: string;
      readonly ports: readonly string[];
    }
  | {
      readonly kind: 'no-address';
      readonly id: string;
      readonly container: string;
      readonly sharedNetwork: string;
    };

export interface Discovery {
  readonly picker: SharedNetworkPicker;
  readonly backends: readonly Backend[];
  readonly problems: readonly DiscoveryProblem[];
}

/** Looks up what `container:<ref>` means; undefined where there is no such container. */
export type FindContainer = (ref: string) => ObservedContainer | undefined;

/** More hops than Docker allows; here against a circle. */
const mostHops = 8;

/** Pure: the same containers and picker give the same answer, in the order of the containers' ids. */
export function discover(
  containers: Iterable<ObservedContainer>,
  find: FindContainer,
  picker: SharedNetworkPicker,
): Discovery {
  const labelled = Array.from(containers)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((container) => ({ container, owner: namespaceOwner(container, find) }));
  const picked = pickSharedNetwork(
    picker,
    labelled.map(({ owner }) => (owner === undefined ? [] : addressedNetworks(owner))),
  );

  const backends: Backend[] = [];
  const problems: DiscoveryProblem[] = [];
  for (const { container, owner } of labelled) {
    const { id, name } = container;
    const labels = labelsOf(container);
    if (labels.kind === 'none') continue;
    if (labels.kind === 'invalid') {
      problems.push({ kind: 'invalid-labels', id, container: name, error: labels.error });
      continue;
    }
    if (labels.contradictions.length > 0) {
      problems.push({ kind: 'contradictory-labels', id, container: name, ports: labels.contradictions });
    }
    const address = reachableAddress(owner, picked);
    if (address === undefined) {
      const sharedNetwork = chosenNetwork(picked) ?? '';
      problems.push({ kind: 'no-address', id, container: name, sharedNetwork });
      continue;
    }
    backends.push(backendAt(container, labels, address));
  }
  return { picker: picked, backends, problems };
}

const labelsOf = onceFor(({ labels }: ObservedContainer) => parseExposeLabels(labels));

const lastBackends = new WeakMap<
  ObservedContainer,
  { readonly address: Attachment; readonly backend: Backend }
>();

/** The same value as before for the same container at the same address. */
function backendAt(
  container: ObservedContainer,
  { ports, mirrorToIpv6 }: Extract<ExposeLabels, { kind: 'exposed' }>,
  address: Attachment,
): Backend {
  const last = lastBackends.get(container);
  if (last?.address === address) return last.backend;
  const { id, name, createdAtMs } = container;
  const ipv6 = mirrorToIpv6 ? address.ipv6 : undefined;
  const backend = { id, name, createdAtMs, ipv4: address.ipv4, ipv6, ports };
  lastBackends.set(container, { address, backend });
  return backend;
}

/** Who owns the namespace that the container runs in: itself, or where its `container:` references lead. */
function namespaceOwner(container: ObservedContainer, find: FindContainer): ObservedContainer | undefined {
  let owner: ObservedContainer | undefined = container;
  for (let hop = 0; hop < mostHops && owner !== undefined; hop++) {
    if (addressedNetworks(owner).length > 0) return owner;
    const ref = sharedNetworkOf(owner.networkMode);
    if (ref === undefined) return owner;
    owner = find(ref);
  }
  return undefined;
}

/** References that have to be looked up before `discover` can follow them all. */
export function unresolvedReferences(
  containers: Iterable<ObservedContainer>,
  known: (ref: string) => boolean,
  find: FindContainer,
): ReadonlySet<string> {
  const missing = new Set<string>();
  for (const container of containers) {
    let at: ObservedContainer | undefined = container;
    for (let hop = 0; hop < mostHops && at !== undefined; hop++) {
      if (addressedNetworks(at).length > 0) break;
      const ref = sharedNetworkOf(at.networkMode);
      if (ref === undefined) break;
      if (!known(ref)) missing.add(ref);
      at = find(ref);
    }
  }
  return missing;
}

const addressedNetworks = onceFor(({ attachments }: ObservedContainer): readonly string[] =>
  Object.entries(attachments)
    .filter(([, attachment]) => usable(attachment) !== undefined)
    .map(([name]) => name),
);

/**
 * On the shared network while we stand on it; without a pin also on any other network that we stand on, because we can route to
 * those just as well; and with no network of our own in sight, on whatever comes first.
 */
function reachableAddress(
  owner: ObservedContainer | undefined,
  { candidates, choice }: SharedNetworkPicker,
): Attachment | undefined {
  const attachments = owner?.attachments ?? {};
  const on = (name: string): Attachment | undefined => usable(attachments[name]);
  if (choice.kind === 'pinned') return on(choice.network);
  if (choice.kind !== 'none') {
    const chosenFirst = candidates.includes(choice.network) ? [choice.network, ...candidates] : candidates;
    return firstOf(chosenFirst, on);
  }
  const names = Object.keys(attachments).sort();
  return (
    firstOf(names, (name) => (on(name)?.ipv4 === undefined ? undefined : on(name))) ?? firstOf(names, on)
  );
}

function firstOf<T>(names: readonly string[], get: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const found = get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

const usable = (attachment: Attachment | undefined): Attachment | undefined =>
  attachment?.ipv4 === undefined && attachment?.ipv6 === undefined ? undefined : attachment;
