/** What the external interface of a network-anchor has, as the kernel tells it, and where each of its addresses is from. */
import { waitFor } from '@berth/lab/testing';
import type { ComposeProject } from './compose.ts';
import { type Harbour, logged } from './harbour.ts';

interface ShownAddress {
  readonly local: string;
  readonly prefixlen: number;
  readonly dadfailed?: boolean;
  readonly tentative?: boolean;
}

/** The name of the external interface; Docker numbers interfaces anew with each container. */
const externalLink = async (stack: ComposeProject): Promise<string> =>
  String((await logged(stack, 'anchord', 'anchord starting (network-anchor mode)'))['ext_iface']);

async function shownAddresses(stack: ComposeProject, family: 4 | 6): Promise<readonly ShownAddress[]> {
  const show = [
    'ip',
    '-j',
    `-${family}`,
    'addr',
    'show',
    'dev',
    await externalLink(stack),
    'scope',
    'global',
  ];
  // One of our own making may be gone for a moment.
  const shown = await stack.exec('anchord', ...show).catch(() => '[]');
  const links = JSON.parse(shown) as { addr_info?: Partial<ShownAddress>[] }[];
  // What the scope leaves out is printed all the same, as nothing.
  return links.flatMap(({ addr_info = [] }) =>
    addr_info.flatMap(({ local, prefixlen = 0, ...flags }) =>
      local === undefined ? [] : [{ local, prefixlen, ...flags }],
    ),
  );
}

export async function externalMac(stack: ComposeProject): Promise<string> {
  const shown = await stack.exec('anchord', 'ip', '-j', 'link', 'show', 'dev', await externalLink(stack));
  const [link] = JSON.parse(shown) as { address: string }[];
  return link?.address ?? '';
}

/** The global addresses of the external interface, those that can not be used yet (or at all) included. */
export const externalAddresses = async (stack: ComposeProject, family: 4 | 6): Promise<readonly string[]> =>
  (await shownAddresses(stack, family)).map(({ local }) => local);

/** The ones that can be used. */
export const usableAddresses = async (stack: ComposeProject, family: 4 | 6): Promise<readonly string[]> =>
  (await shownAddresses(stack, family))
    .filter(({ tentative, dadfailed }) => tentative !== true && dadfailed !== true)
    .map(({ local }) => local);

/** The address that the kernel makes of a prefix (`fd99::`) and the MAC of the interface (RFC 4291, appendix A). */
export function slaacAddress(prefix: string, mac: string): string {
  const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const [first = 0, ...rest] = bytes;
  const id = [first ^ 2, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)];
  const groups = [0, 2, 4, 6].map((at) => (((id[at] ?? 0) << 8) | (id[at + 1] ?? 0)).toString(16));
  return `${prefix}${groups.join(':')}`;
}

/** Waits until the one IPv4 address of the interface is out of a pool, by its last part. */
export const leasedV4 = (
  stack: ComposeProject,
  [from, to]: readonly [number, number],
  timeoutMs = 60_000,
): Promise<string> =>
  waitFor(
    `an address between .${from} and .${to}, and no other`,
    async () => {
      const addresses = await externalAddresses(stack, 4);
      const last = Number(addresses[0]?.split('.')[3]);
      return addresses.length === 1 && last >= from && last <= to && addresses[0];
    },
    { timeoutMs, everyMs: 100 },
  );

/** Waits for an IPv6 address that can be used. */
export const usableV6 = (
  stack: ComposeProject,
  what: string,
  matches: (address: string) => boolean,
  timeoutMs = 60_000,
) => waitFor(what, async () => (await usableAddresses(stack, 6)).find(matches), { timeoutMs, everyMs: 100 });

/** The greeting of the mail service at an address, as soon as it answers there. */
export const greeted = (harbour: Harbour, host: string, from = 'client1', port = 25) =>
  waitFor(
    `an answer from ${host}`,
    () =>
      harbour.space
        .client(from)
        .greetTcp({ host, port, timeoutMs: 1_000 })
        .catch(() => undefined),
    { timeoutMs: 60_000 },
  );

/** The samples of one metric family of a container of ours, by their labels as they stand in the exposition. */
export async function samplesOf(
  stack: ComposeProject,
  service: string,
  family: string,
): Promise<ReadonlyMap<string, number>> {
  const script = `fetch('http://127.0.0.1:9090/metrics').then((answer) => answer.text()).then((text) => process.stdout.write(text))`;
  const lines = (await stack.exec(service, 'node', '-e', script)).split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [, labels = '', value] = new RegExp(`^${family}(?:\\{(.*)\\})? (\\S+)$`).exec(line) ?? [];
      return value === undefined ? [] : [[labels, Number(value)] as const];
    }),
  );
}
