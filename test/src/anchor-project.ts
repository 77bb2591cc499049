/** The smallest project with a network-anchor: for what an anchor does to containers, not to packets. */
import { anchordImage } from '@berth/lab';
import { type ComposeFile, ComposeProject } from './compose.ts';
import type { Harbour } from './harbour.ts';

export interface AnchorProjectOptions {
  readonly name: string;
  /** Last part of the address on the LAN. */
  readonly host: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly image?: string;
  readonly services?: Readonly<Record<string, unknown>>;
  readonly anchor?: Readonly<Record<string, unknown>>;
  /** Of the transit network; Docker's choice otherwise. */
  readonly subnet?: string;
}

const say = (line: string): void => void process.stdout.write(`  ${line}\n`);

export const anchorImage = (harbour: Harbour): Promise<string> => anchordImage(harbour.host, say);

export async function anchorProjectFile(
  harbour: Harbour,
  { name, host, env = {}, image, services = {}, anchor = {}, subnet }: AnchorProjectOptions,
): Promise<ComposeFile> {
  return {
    services: {
      anchord: {
        image: image ?? (await anchorImage(harbour)),
        cap_add: ['NET_ADMIN'],
        sysctls: { 'net.ipv4.ip_forward': '1' },
        environment: {
          ANCHORD_PROJECT: name,
          ANCHORD_EXT_NETWORK: harbour.lan,
          ANCHORD_POLL_INTERVAL: '2s',
          ANCHORD_LOG_LEVEL: 'debug',
          ...env,
        },
        volumes: ['/var/run/docker.sock:/var/run/docker.sock'],
        networks: { lan: { ipv4_address: harbour.address(4, host) }, transit: {} },
        restart: 'unless-stopped',
        stop_grace_period: '5s',
        ...anchor,
      },
      ...services,
    },
    networks: {
      lan: { name: harbour.lan, external: true },
      transit: { internal: true, ...(subnet === undefined ? {} : { ipam: { config: [{ subnet }] } }) },
    },
  };
}

export async function anchorProject(
  harbour: Harbour,
  options: AnchorProjectOptions,
): Promise<ComposeProject> {
  const file = await anchorProjectFile(harbour, options);
  return await ComposeProject.create(harbour.space, file, options.name);
}
