/** Debian images: the base that Dockerfiles start from, and one with the network tools. */
import { authoritiesKey, bundle, copyAuthorities } from './authorities.ts';
import { debootstrap, slim } from './debootstrap.ts';
import type { ImageRecipe } from './image.ts';

const changes = [
  'CMD ["sleep", "infinity"]',
  `ENV NODE_EXTRA_CA_CERTS=${bundle} SSL_CERT_FILE=${bundle}`,
  'ENV DEBIAN_FRONTEND=noninteractive',
];

async function fillWithDebian(root: string, packages: readonly string[]): Promise<void> {
  await debootstrap('bookworm', root, packages);
  await slim(root);
  await copyAuthorities(root);
}

/** Also under the name that Dockerfiles ask for. */
export const debian = (): ImageRecipe => ({
  tag: 'berth-lab/base',
  alsoKnownAs: ['debian:bookworm-slim'],
  key: `debian-${process.arch}-${authoritiesKey()}-1`,
  fill: (root) => fillWithDebian(root, []),
  changes,
});

const toolPackages = [
  ...['iproute2', 'nftables', 'conntrack', 'tcpdump', 'procps', 'curl', 'ca-certificates', 'netcat-openbsd'],
  ...['iputils-ping', 'arping', 'dnsutils', 'iptables', 'ndisc6'],
];

export const tools = (): ImageRecipe => ({
  tag: 'berth-lab/tool',
  key: `tool-${process.arch}-${authoritiesKey()}-1`,
  fill: (root) => fillWithDebian(root, toolPackages),
  changes,
});

/** Load generators and a web server, for benchmarks. */
export const load = (): ImageRecipe => ({
  tag: 'berth-lab/load',
  key: `load-${process.arch}-${authoritiesKey()}-1`,
  fill: (root) => fillWithDebian(root, ['iperf3', 'nginx-light', 'wrk']),
  changes,
});
