/** The steps that put findings right: in words, and in deeds. */
import { parseIp } from '@berth/kernel/ip';
import { writeSysctl } from '@berth/kernel/netns';
import { Nftables } from '@berth/kernel/nftables';
import { Dataplane, probeShape } from '../dataplane/index.ts';
import { forwardFilters, whatShouldBe } from './checks/dataplane.ts';
import { setDefaultRoute } from './checks/routes.ts';
import { endRepair, reattach, recreateInNetwork } from './fix-containers.ts';
import type { Report, Step } from './outcome.ts';
import type { Site } from './site.ts';

export const stepsOf = (reports: readonly Report[]): readonly Step[] =>
  reports.flatMap(({ outcome }) =>
    outcome.kind === 'problems' ? outcome.findings.flatMap(({ step }) => step ?? []) : [],
  );

/** Completes "would ...". */
export function described(step: Step): string {
  switch (step.do) {
    case 'set default route':
      return `lead the default route of ${step.family} to ${step.gateway}`;
    case 'write tables':
      return 'write the tables anchord_v4 and anchord_v6 as they should be';
    case 'write sysctl':
      return `set ${step.name} to ${step.value}`;
    case 'end repair':
      return `bring the re-creation of ${step.name} to its end`;
    case 're-create container':
      return `re-create ${step.name} in the network of ${step.owner}${step.starts ? '' : ', stopped as it is'}`;
    case 'restart container':
      return `restart ${step.name}`;
    case 're-attach container':
      return `detach ${step.name} from ${step.network}, and attach it to the network that has this name now`;
  }
}

/** Throws what stood in the way. What cannot be left half done is done before `signal` is heeded. */
export async function carryOut(step: Step, site: Site, signal: AbortSignal): Promise<void> {
  const { engine, clock } = site.parts;
  switch (step.do) {
    case 'set default route':
      await setDefaultRoute(site, step.family, parseIp(step.gateway));
      return;
    case 'write tables':
      await writeTables(site);
      return;
    case 'write sysctl':
      writeSysctl(step.name.replace('net.', '').replaceAll('.', '/'), step.value);
      return;
    case 'end repair':
      await endRepair({ ...engine, clock }, step);
      return;
    case 're-create container':
      await recreateInNetwork({ ...engine, clock }, step, signal);
      return;
    case 'restart container':
      await engine.containers.restart(step.id);
      return;
    case 're-attach container':
      await reattach(engine, step);
      return;
  }
}

async function writeTables(site: Site): Promise<void> {
  const externalInterface = (await site.externalLink())?.name;
  if (externalInterface === undefined) throw new Error('there is no external interface');
  const { entries } = (await whatShouldBe(site)).desired;
  using nftables = Nftables.open();
  const [forwardFilter] = await forwardFilters(site, externalInterface);
  new Dataplane(nftables, probeShape(nftables, { externalInterface, forwardFilter })).apply(entries);
}
