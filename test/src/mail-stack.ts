/** The reference project: a network-anchor, a service-anchor, and a service behind it that tells whom it sees. */
import { anchordImage } from '@berth/lab';
import type { Space } from '@berth/lab/testing';
import { type ComposeFile, ComposeProject } from './compose.ts';

export interface MailStackOptions {
  /** Numbers the networks, so that two stacks of a test do not collide. */
  readonly number?: number;
  readonly project?: string;
  /** Last part of the address on the LAN in both families. */
  readonly host?: number;
  readonly lan: string;
  readonly expose?: string;
  readonly ports?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Settings of the network-anchor's container beside those that stand there. */
  readonly anchor?: Readonly<Record<string, unknown>>;
  /** Put into the compose file beside what stands there. */
  readonly services?: Readonly<Record<string, unknown>>;
}

const socket = '/var/run/docker.sock';

const transitSubnets = (number: number) => ({
  v4: `172.30.${number}.0/24`,
  v6: `fd30:${number}::/64`,
});

async function mailStackFile(space: Space, options: MailStackOptions): Promise<ComposeFile> {
  const {
    number = 1,
    host = 40,
    lan,
    expose = 'tcp/25',
    ports = ['25/tcp'],
    env = {},
    labels = {},
  } = options;
  const { plan } = space.lab.lan;
  const image = await anchordImage(space.host, (line) => void process.stdout.write(`  ${line}\n`));
  const subnets = transitSubnets(number);
  return {
    services: {
      anchord: {
        image,
        cap_add: ['NET_ADMIN'],
        sysctls: {
          'net.ipv4.ip_forward': '1',
          'net.ipv6.conf.all.forwarding': '1',
          'net.ipv6.conf.all.accept_ra': '2',
          'net.ipv6.conf.default.accept_ra': '2',
        },
        environment: {
          ANCHORD_PROJECT: options.project ?? space.id,
          ANCHORD_EXT_NETWORK: lan,
          ANCHORD_POLL_INTERVAL: '5s',
          ...env,
        },
        volumes: [`${socket}:${socket}`],
        networks: {
          lan: { ipv4_address: plan.v4(host), ipv6_address: plan.v6(host) },
          transit: {},
        },
        restart: 'unless-stopped',
        ...options.anchor,
      },
      'smtp-anchor': {
        image,
        command: ['service-anchor'],
        cap_add: ['NET_ADMIN'],
        environment: { ANCHORD_GATEWAY_RESOLVE_INTERVAL: '1s' },
        labels: { 'anchord.expose': expose, ...labels },
        networks: { transit: {} },
        restart: 'unless-stopped',
      },
      smtp: {
        image: 'berth-lab/echo',
        command: ports,
        network_mode: 'service:smtp-anchor',
        depends_on: ['smtp-anchor'],
        stop_grace_period: '1s',
        restart: 'unless-stopped',
      },
      ...options.services,
    },
    networks: {
      lan: { name: lan, external: true },
      transit: {
        internal: true,
        enable_ipv6: true,
        ipam: { config: [{ subnet: subnets.v4 }, { subnet: subnets.v6 }] },
      },
    },
  };
}

export async function mailStack(space: Space, options: MailStackOptions): Promise<ComposeProject> {
  return await ComposeProject.create(space, await mailStackFile(space, options), options.project ?? space.id);
}
