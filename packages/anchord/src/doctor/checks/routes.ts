/** The way out: the gateway, and the default routes that are to lead to it. */
import { lookup } from 'node:dns/promises';
import { kernelErrors } from '@berth/kernel';
import { type IpAddress, familyOf as ipFamilyOf, parseIpOrNothing } from '@berth/kernel/ip';
import type { InterfaceAddress, Link } from '@berth/kernel/network';
import { effectiveGateway } from '../../external/index.ts';
import { type Family, families, familyNumber, type PerFamily } from '../../families.ts';
import { assertDefaultRoute } from '../../routes/assert-default-route.ts';
import { defaultRoutes, planDefaultRoute } from '../../routes/default-route.ts';
import { type GatewayLink, gatewayLink, gatewayOnLink } from '../../routes/next-hop.ts';
import { chooseGateways } from '../../service-anchor/index.ts';
import { gatewayAnswers } from '../gateway-probe.ts';
import { type Finding, found, type Outcome, skipped, unknown } from '../outcome.ts';
import type { Site } from '../site.ts';

const noRoutes = skipped('only network-anchors and service-anchors keep routes');
const noGateway = 'no gateway is known';

const keepsRoutes = ({ parts: { role } }: Site): boolean =>
  role === 'network-anchor' || role === 'service-anchor';

/** Where the default routes are meant to lead: as the process says, else as the settings and Docker do. */
async function wantedGateways(site: Site): Promise<PerFamily<IpAddress | undefined>> {
  const told = site.told()?.gateways;
  if (told !== undefined) return { v4: parsed(told.v4), v6: parsed(told.v6) };
  return site.parts.role === 'network-anchor' ? await ofNetworkAnchor(site) : await ofServiceAnchor(site);
}

const parsed = (text: string | undefined): IpAddress | undefined =>
  text === undefined ? undefined : parseIpOrNothing(text);

async function ofNetworkAnchor(site: Site): Promise<PerFamily<IpAddress | undefined>> {
  const { external, gatewayPin: pin } = site.anchor();
  const { engine, signal } = site.parts;
  const pools =
    external.kind === 'network' ? (await engine.networks.inspect(external.network, { signal })).pools : [];
  const known = pools.flatMap(({ gateway }) => parsed(gateway) ?? []);
  const ipam = {
    v4: known.find((gateway) => ipFamilyOf(gateway) === 4),
    v6: known.find((gateway) => ipFamilyOf(gateway) === 6),
  };
  const of = (family: Family) =>
    effectiveGateway(family, { dynamic: undefined, advertised: undefined, pin, ipam });
  return { v4: of('v4'), v6: of('v6') };
}

async function ofServiceAnchor(site: Site): Promise<PerFamily<IpAddress | undefined>> {
  const { gateway } = site.serviceAnchor();
  if (gateway.kind === 'addresses') return gateway.addresses;
  const answers = await lookup(gateway.hostname, { all: true, order: 'verbatim' });
  const none = { v4: undefined, v6: undefined };
  return chooseGateways(
    answers.flatMap(({ address }) => parseIpOrNothing(address) ?? []),
    none,
  );
}

/** By which interface the gateway is reached. */
async function wayTo(site: Site, gateway: IpAddress): Promise<GatewayLink | undefined> {
  const addresses = site.parts.network.addresses.list();
  if (site.parts.role === 'service-anchor') return gatewayLink(gateway, addresses);
  const link = await site.externalLink();
  return link === undefined ? undefined : gatewayOnLink(link.index, gateway, addresses);
}

export async function gatewayIsThere(site: Site): Promise<Outcome> {
  if (!keepsRoutes(site)) return noRoutes;
  const gateways = await wantedGateways(site);
  const findings: Finding[] = [];
  const answered: string[] = [];
  for (const family of families) {
    const gateway = gateways[family];
    if (gateway === undefined) continue;
    const way = await wayTo(site, gateway);
    const link = way === undefined ? undefined : site.parts.network.links.byIndex(way.link);
    const from = link === undefined ? undefined : ownAddress(site, link, family);
    if (link?.mac === undefined || from === undefined) {
      findings.push({ subject: gateway, detail: 'none of our interfaces has an address in its network' });
      continue;
    }
    const { index, name, mac } = link;
    try {
      const question = { gateway, from, link: { index, name, mac } };
      if (await gatewayAnswers(question, site.parts.clock)) answered.push(`${gateway} on ${name}`);
      else findings.push({ subject: gateway, detail: `nobody answers for it on ${name}` });
    } catch (error) {
      if (!kernelErrors.is(error, 'KERNEL_NOT_PERMITTED')) throw error;
      return unknown('asking on the link needs NET_RAW, which this container does not have');
    }
  }
  if (findings.length === 0 && answered.length === 0) return skipped(noGateway);
  return found(findings, answered.join(', '));
}

function ownAddress({ parts }: Site, { index }: Link, family: Family): IpAddress | undefined {
  const usable = ({ tentative, dadFailed }: InterfaceAddress): boolean => !tentative && !dadFailed;
  const all = parts.network.addresses.list({ link: index, family: familyNumber(family) }).filter(usable);
  return (all.find(({ scope }) => scope === 'global') ?? all[0])?.address;
}

export async function defaultRoutesLead(site: Site): Promise<Outcome> {
  if (!keepsRoutes(site)) return noRoutes;
  const gateways = await wantedGateways(site);
  const findings: Finding[] = [];
  const kept: string[] = [];
  for (const family of families) {
    const gateway = gateways[family];
    if (gateway === undefined) continue;
    const way = await wayTo(site, gateway);
    if (way === undefined) {
      findings.push({ subject: family, detail: `none of our interfaces leads to ${gateway}` });
      continue;
    }
    const observed = defaultRoutes(site.parts.network.routes.list({ family: familyNumber(family) }));
    const plan = planDefaultRoute(family, observed, { gateway, ...way });
    if (plan.kind === 'keep') kept.push(`${family} by way of ${gateway}`);
    else {
      const now = plan.previous === undefined ? 'there is none' : `it leads to ${plan.previous}`;
      const step = { do: 'set default route', family, gateway } as const;
      findings.push({ subject: family, detail: `should lead to ${gateway}, but ${now}`, step });
    }
  }
  if (findings.length === 0 && kept.length === 0) return skipped(noGateway);
  return found(findings, kept.join(', '));
}

/** The same as the anchor itself does, at once. */
export async function setDefaultRoute(site: Site, family: Family, gateway: IpAddress): Promise<void> {
  const way = await wayTo(site, gateway);
  const done = assertDefaultRoute(site.parts.network, {
    family,
    gateway,
    linkFor: () => way,
    onReadFailure: () => undefined,
  });
  if (done.outcome === 'failed') throw done.error;
}
