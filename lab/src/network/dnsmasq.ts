/** The LAN's DHCP and router-advertisement server: Debian's dnsmasq, told what to do by arguments alone. */
import type { AddressPlan, DhcpSpec } from '../spec.ts';
import type { Argv } from '../tools/run.ts';
import type { Lan } from './lan.ts';

export function dnsmasqCommand(lan: Lan, dhcp: DhcpSpec): Argv {
  const { plan } = lan;
  return [
    'dnsmasq',
    '--keep-in-foreground',
    // Without configuration and users of the machine: what is not said here, it does not do.
    '--conf-file=/dev/null',
    '--user=root',
    '--group=root',
    '--pid-file=',
    `--interface=${lan.bridge}`,
    '--bind-dynamic',
    '--no-resolv',
    '--no-hosts',
    '--domain=lan',
    '--local=/lan/',
    ...lan.names.map(({ name, v4, v6 }) => `--host-record=${name}.lan,${v4},${v6}`),
    `--dhcp-leasefile=${lan.leaseFile}`,
    `--log-facility=${lan.logFile}`,
    '--log-dhcp',
    // It would ping an address for three seconds before it offers it.
    '--no-ping',
    '--dhcp-authoritative',
    ...v4Arguments(dhcp, plan),
    ...v6Arguments(dhcp, plan, lan.bridge),
  ];
}

function v4Arguments(dhcp: DhcpSpec, plan: AddressPlan): string[] {
  if (!dhcp.v4) return [];
  const [from, to] = dhcp.pool ?? plan.pool;
  return [
    `--dhcp-range=${plan.v4(from)},${plan.v4(to)},255.255.255.0,${dhcp.leaseSeconds}`,
    `--dhcp-option=option:router,${plan.v4(plan.router)}`,
    `--dhcp-option=option:dns-server,${plan.v4(plan.router)}`,
    ...(dhcp.renewSeconds === undefined ? [] : [`--dhcp-option=option:T1,${dhcp.renewSeconds}`]),
    ...(dhcp.rebindSeconds === undefined ? [] : [`--dhcp-option=option:T2,${dhcp.rebindSeconds}`]),
  ];
}

function v6Arguments(dhcp: DhcpSpec, plan: AddressPlan, link: string): string[] {
  const range = {
    stateful: `${plan.v6(1000)},${plan.v6(1999)},64,${dhcp.leaseSeconds}`,
    stateless: `${plan.v6(0)},ra-stateless,64,${dhcp.leaseSeconds}`,
    slaac: `${plan.v6(0)},ra-only,64,${dhcp.leaseSeconds}`,
    none: undefined,
  }[dhcp.v6];
  if (range === undefined) return [];
  return [
    `--dhcp-range=${range}`,
    '--enable-ra',
    // An advertisement every few seconds: a test that waits for one should not wait for minutes. None makes this router
    // anybody's way out (lifetime 0): one that does, and arrives while the engine sets a container's IPv6 gateway, makes that
    // start fail ("updating gateway: file exists"). Tests that need such a router have one from a script.
    `--ra-param=${link},4,0`,
    `--dhcp-option=option6:dns-server,[${plan.v6(plan.router)}]`,
  ];
}
