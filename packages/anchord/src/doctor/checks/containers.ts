/** All containers of the host: who sits in a dead namespace, who hangs on a network that is gone. */
import { composeMembership } from '@berth/engine';
import { type DeadNamespace, deadNamespaces, shownName } from '../../lifecycle/dead-namespaces.ts';
import { type LifeContainer, observeContainers } from '../../lifecycle/observe.ts';
import { type Finding, found, type Outcome, type Step, skipped } from '../outcome.ts';
import type { Site } from '../site.ts';

const noDocker = skipped('a service-anchor does not talk to Docker');

export async function namespaces(site: Site): Promise<Outcome> {
  if (!site.usesDocker) return noDocker;
  const { engine, signal } = site.parts;
  const members = await observeContainers(engine.containers, signal);
  return found(deadFindings(members));
}

export function deadFindings(members: readonly LifeContainer[]): readonly Finding[] {
  // What is set aside is the business of whoever set it aside.
  const candidates = members.filter(({ isAside }) => !isAside);
  return deadNamespaces(candidates, members).map((dead): Finding => {
    const step = repair(dead, members);
    const detail =
      dead.why === 'owner gone'
        ? `sits in the network of ${dead.reference.slice(0, 12)}, which is gone`
        : `sits in the network that ${dead.owner === undefined ? '?' : shownName(dead.owner)} had before it was restarted`;
    const remedy = dead.recovery ?? 'Re-create it by hand.';
    return { subject: shownName(dead.container), detail, remedy, step };
  });
}

/** A restart joins the namespace that the owner has now; where the owner is gone, its successor has to be beyond doubt. */
function repair(
  { container, why }: DeadNamespace<LifeContainer>,
  all: readonly LifeContainer[],
): Step | undefined {
  const { id, status, look } = container;
  const name = shownName(container);
  if (why === 'owner restarted') return { do: 'restart container', id, name };
  const owner = successor(container, all);
  if (owner === undefined) return undefined;
  return {
    do: 're-create container',
    id,
    name,
    networkMode: `container:${owner.id}`,
    owner: shownName(owner),
    // Somebody stopped it, or has tried to start it since.
    starts: status === 'running' || look?.lacksOwner === true,
  };
}

/** The one service that Compose says it depends on, which for `network_mode: service:` is the owner of its network. */
function successor(container: LifeContainer, all: readonly LifeContainer[]): LifeContainer | undefined {
  const membership = composeMembership(container.labels);
  const dependsOn = (container.labels['com.docker.compose.depends_on'] ?? '')
    .split(',')
    .filter((text) => text !== '');
  const [service] = dependsOn.map((text) => text.split(':')[0]);
  if (membership === undefined || service === undefined || dependsOn.length > 1) return undefined;
  const owners = all.filter((one) => {
    const other = composeMembership(one.labels);
    return other?.project === membership.project && other.service === service && one.status === 'running';
  });
  return owners.length === 1 ? owners[0] : undefined;
}

export async function networkIds(site: Site): Promise<Outcome> {
  if (!site.usesDocker) return noDocker;
  const [all, networks] = [await site.containers(), await site.networks()];
  const ids = new Set(networks.map(({ id }) => id));
  const findings = all.flatMap((container) =>
    Object.entries(container.attachments).flatMap(([network, { networkId = '' }]): Finding[] => {
      if (networkId === '' || ids.has(networkId)) return [];
      const name = shownName(container);
      const now = networks.find((one) => one.name === network);
      return [
        {
          subject: name,
          detail:
            now === undefined
              ? `is attached to the network ${network}, which is gone`
              : `is attached to an earlier network of the name ${network}`,
          step:
            now === undefined
              ? undefined
              : { do: 're-attach container', id: container.id, name, network, networkId: now.id },
        },
      ];
    }),
  );
  return found(findings, `${networks.length} networks`);
}
