/** The path to each backend, and whether somebody listens there. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { engineErrors } from '@berth/engine';
import { contains, type IpAddress } from '@berth/kernel/ip';
import type { InterfaceAddress } from '@berth/kernel/network';
import { sleep } from '@berth/service';
import type { DnatEntry } from '../../dataplane/index.ts';
import { type Family, familyOf } from '../../families.ts';
import { judgePath, judgeUnhurried, type PathVerdict, probe } from '../../path/index.ts';
import { type Finding, fine, found, type Outcome, skipped, unknown } from '../outcome.ts';
import type { Site } from '../site.ts';
import { whatShouldBe } from './dataplane.ts';

const otherRole = skipped('only a network-anchor leads clients to backends');
const patienceMs = 1_500;
const secondLookAfterMs = 2_000;

interface Target {
  readonly address: IpAddress;
  readonly container: string;
}

interface Path extends Target {
  readonly verdict: PathVerdict;
}

const tried = new WeakMap<Site, Promise<readonly Path[] | string>>();

/** Each backend once, from our external address and from our inner one; a text: why that cannot be tried. */
function paths(site: Site): Promise<readonly Path[] | string> {
  const known = tried.get(site) ?? tryPaths(site);
  tried.set(site, known);
  return known;
}

async function tryPaths(site: Site): Promise<readonly Path[] | string> {
  const { entries } = (await whatShouldBe(site)).desired;
  const external = await site.externalLink();
  if (external === undefined) return 'there is no external interface';
  const targets = new Map([...entries.values()].map(({ address, backend }) => [address, backend.name]));
  const moment = () => sleep(site.parts.clock, secondLookAfterMs, site.parts.signal);
  return await Promise.all(
    Array.from(targets, async ([address, container]) => {
      const verdict = await judgeUnhurried(() => judge(site, address, external.index), moment);
      return { address, container, verdict };
    }),
  );
}

async function judge(site: Site, address: IpAddress, externalLink: number): Promise<PathVerdict> {
  const { signal } = site.parts;
  const outside = ownAddresses(site, address).find(({ link }) => link === externalLink);
  const inside = insideAddress(site, address, externalLink);
  if (outside === undefined || inside === undefined) return 'unknown';
  const fromOutside = await probe(address, outside.address, signal);
  if (fromOutside === 'answered') return 'open';
  const fromInside = await probe(address, inside, signal);
  return judgePath({ fromInside, fromOutside }, await hostFilters(site, familyOf(address)));
}

const ownAddresses = ({ parts }: Site, target: IpAddress): readonly InterfaceAddress[] =>
  parts.network.addresses
    .list()
    .filter((one) => familyOf(one.address) === familyOf(target) && one.scope === 'global' && !one.dadFailed);

const insideAddress = (site: Site, target: IpAddress, externalLink: number): IpAddress | undefined =>
  ownAddresses(site, target).find((one) => one.link !== externalLink && contains(one, target))?.address;

async function hostFilters({ parts }: Site, family: Family): Promise<boolean | undefined> {
  try {
    const { filtersBridgedPackets } = await parts.engine.system.info({ signal: parts.signal });
    return family === 'v4' ? filtersBridgedPackets.ipv4 : filtersBridgedPackets.ipv6;
  } catch (error) {
    // Many proxies do not let us ask; then the finding has to do without.
    if (engineErrors.is(error, 'ENGINE_PERMISSION_DENIED')) return undefined;
    throw error;
  }
}

export const pathVerdict =
  (wanted: 'bridge-netfilter' | 'no-return-route') =>
  async (site: Site): Promise<Outcome> => {
    if (site.parts.role !== 'network-anchor') return otherRole;
    const all = await paths(site);
    if (typeof all === 'string') return unknown(all);
    const findings = all
      .filter(({ verdict }) => verdict === wanted)
      .map(({ address, container }) => ({ subject: address, detail: container }));
    if (findings.length > 0) return found(findings);
    const silent = all.filter(({ verdict }) => verdict === 'unknown');
    if (silent.length === 0)
      return fine(all.length === 1 ? 'one backend' : `${all.length} addresses of backends`);
    return unknown(
      `no answer at all from ${silent.map(({ address, container }) => `${container} at ${address}`).join(', ')}`,
    );
  };

type Knock = 'open' | 'refused' | 'silent';

/** From inside, so that nothing but the service itself is asked. */
export async function listeners(site: Site): Promise<Outcome> {
  if (site.parts.role !== 'network-anchor') return otherRole;
  const { entries } = (await whatShouldBe(site)).desired;
  const answers = await Promise.all(
    Array.from(entries.values(), async (entry) => ({ entry, knock: await knockAt(entry) })),
  );
  const refused = answers.filter(({ knock }) => knock === 'refused');
  const findings = refused.map(({ entry }): Finding => {
    const { protocol, externalPort, address, backendPort, backend } = entry;
    const subject = `${familyOf(address)}/${protocol}/${externalPort}`;
    return { subject, detail: `${backend.name} refuses port ${backendPort} at ${address}` };
  });
  if (findings.length > 0) return found(findings);
  const silent = answers.filter(({ knock, entry }) => knock === 'silent' && entry.protocol === 'tcp');
  if (silent.length === 0) return fine(`${entries.size} ports`);
  return unknown(
    `no answer from ${silent.map(({ entry }) => `${entry.backend.name} at ${entry.address} port ${entry.backendPort}`).join(', ')}`,
  );
}

const knockAt = (entry: DnatEntry): Promise<Knock> =>
  entry.protocol === 'tcp'
    ? knockTcp(entry.address, entry.backendPort)
    : knockUdp(entry.address, entry.backendPort);

export function knockTcp(host: string, port: number, timeoutMs = patienceMs): Promise<Knock> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (knock: Knock): void => {
      socket.destroy();
      resolve(knock);
    };
    socket.setTimeout(timeoutMs, () => finish('silent'));
    socket.once('connect', () => finish('open'));
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      finish(code === 'ECONNREFUSED' ? 'refused' : 'silent'),
    );
  });
}

/** A service may well say nothing to an empty packet; only a refusal by its kernel tells something. */
export function knockUdp(host: string, port: number, timeoutMs = 500): Promise<Knock> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const finish = (knock: Knock): void => {
      clearTimeout(timer);
      socket.close();
      resolve(knock);
    };
    const timer = setTimeout(() => finish('silent'), timeoutMs);
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      finish(code === 'ECONNREFUSED' ? 'refused' : 'silent'),
    );
    socket.connect(port, host, () => socket.send(new Uint8Array()));
  });
}
