/** The LAN: a switch and router of its own in a namespace, and who is plugged into it. */
import { join } from 'node:path';
import { type LabName, namespaceName, runFolder } from '../names.ts';
import { type AddressPlan, addressPlan, type LabSpec, type LanSpec, numberOf } from '../spec.ts';
import { type Life, startInit } from './init.ts';
import { addCable, addNamespace, ipBatch, setKernelSettings } from './namespace.ts';

const bridge = 'br0';
/** The network behind the router, from the ranges that are kept for documentation. */
const internetV4 = (host: number): string => `203.0.113.${host}`;
const internetV6 = (host: number): string => `2001:db8:113::${host}`;

export const internetClient = { v4: internetV4(10), v6: internetV6(10) };

interface KnownName {
  readonly name: string;
  readonly v4: string;
  readonly v6: string;
}

export interface Lan {
  readonly lab: LabName;
  readonly namespace: string;
  readonly bridge: string;
  readonly plan: AddressPlan;
  readonly spec: LanSpec;
  /** Whom the LAN's name server knows, beside those who lease an address. */
  readonly names: readonly KnownName[];
  readonly leaseFile: string;
  readonly logFile: string;
}

export function lanOf(lab: LabName, spec: LabSpec): Lan {
  const plan = addressPlan(spec.lan);
  return {
    lab,
    namespace: namespaceName(lab, 'lan'),
    bridge,
    plan,
    spec: spec.lan,
    names: knownNames(spec, plan),
    leaseFile: join(runFolder(lab), 'lan', 'leases'),
    logFile: join(runFolder(lab), 'lan', 'dnsmasq.log'),
  };
}

export const clientNames = (spec: LabSpec): string[] =>
  Array.from({ length: spec.clients }, (_, index) => `client${index + 1}`);

function knownNames(spec: LabSpec, plan: AddressPlan): KnownName[] {
  const known = (name: string, number: number): KnownName => ({
    name,
    v4: plan.v4(number),
    v6: plan.v6(number),
  });
  return [
    known('router', plan.router),
    ...spec.hosts.map(({ name }) => known(name, plan.host(numberOf(name)))),
    ...clientNames(spec).map((name) => known(name, plan.client(numberOf(name)))),
  ];
}

export async function makeLan(lan: Lan, life: Life): Promise<void> {
  const { namespace, plan } = lan;
  await addNamespace(namespace);
  await setKernelSettings(namespace, '1', 'ipv4/ip_forward', 'ipv6/conf/all/forwarding');
  await ipBatch(namespace, [
    `link add ${bridge} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`,
    `link set ${bridge} up`,
    `address add ${plan.v4(plan.router)}/24 dev ${bridge}`,
    `address add ${plan.v6(plan.router)}/64 dev ${bridge} nodad`,
  ]);
  await startInit(namespace, life);
}

/** Plugs a namespace into the switch: `link` there, and a port with the place's name here. */
export async function plugIn(lan: Lan, place: string, link: string, number: number): Promise<void> {
  const namespace = namespaceName(lan.lab, place);
  const { plan } = lan;
  await addCable({ namespace: lan.namespace, link: place }, { namespace, link });
  // Only the address that we give: who wants advertisements sets this on an interface of its own.
  await setKernelSettings(namespace, '0', `ipv6/conf/${link}/accept_ra`);
  await ipBatch(lan.namespace, [`link set ${place} master ${bridge} up`]);
  await ipBatch(namespace, [
    `link set ${link} up`,
    `address add ${plan.v4(number)}/24 dev ${link}`,
    `address add ${plan.v6(number)}/64 dev ${link} nodad`,
    `route add default via ${plan.v4(plan.router)}`,
    `route add ::/0 via ${plan.v6(plan.router)}`,
  ]);
}

export async function makeClient(lan: Lan, place: string): Promise<void> {
  await addNamespace(namespaceName(lan.lab, place));
  await plugIn(lan, place, 'eth0', lan.plan.client(numberOf(place)));
}

/** A machine that is no neighbour: its packets come through the router, with its own address. */
export async function makeInternet(lan: Lan): Promise<void> {
  const namespace = namespaceName(lan.lab, 'inet');
  await addNamespace(namespace);
  await addCable({ namespace: lan.namespace, link: 'wan' }, { namespace, link: 'eth0' });
  await ipBatch(lan.namespace, [
    'link set wan up',
    `address add ${internetV4(1)}/24 dev wan`,
    `address add ${internetV6(1)}/64 dev wan nodad`,
  ]);
  await ipBatch(namespace, [
    'link set eth0 up',
    `address add ${internetClient.v4}/24 dev eth0`,
    `address add ${internetClient.v6}/64 dev eth0 nodad`,
    `route add default via ${internetV4(1)}`,
    `route add ::/0 via ${internetV6(1)}`,
  ]);
}
