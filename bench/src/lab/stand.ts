/** Where whole programs are measured: a real engine on a real LAN, in a lab of the bench's own. */
import { connectEngine, type Engine } from '@berth/engine';
import { Netns } from '@berth/kernel/netns';
import {
  anchordImage,
  bringUp,
  defaultLabName,
  defaultSpec,
  echo,
  ensureImage,
  type Host,
  type Lab,
  labName,
  lanLink,
  silenceDhcp,
  takeDown,
  waitFor,
} from '@berth/lab';
import type { Scope } from '@berth/service';

const project = 'bench';
const transit = 'bench_transit';
const lanNetwork = 'bench_lan';
export const labelOf = (expose: string): Readonly<Record<string, string>> => ({
  'com.docker.compose.project': project,
  'anchord.expose': expose,
});

export interface Run {
  readonly name: string;
  readonly image: string;
  readonly options?: readonly string[];
  readonly command?: readonly string[];
}

export class Stand {
  readonly lab: Lab;
  readonly host: Host;
  readonly engine: Engine;
  /** Of anchord, as it is shipped. */
  readonly image: string;
  readonly transit = transit;
  readonly lanNetwork = lanNetwork;

  /** Stands until the scope ends, with nothing on it. */
  static async open(scope: Scope, say: (line: string) => void): Promise<Stand> {
    const name = labName(`${defaultLabName().slice(0, 16)}-bench`);
    scope.defer(async () => void (await takeDown(name, say)), 'the lab');
    const lab = await bringUp(name, { ...defaultSpec, internet: false }, { owned: true, say });
    const host = lab.host();
    await silenceDhcp(lab.lan);
    await ensureImage(host, echo(), say);
    // What the guide asks of a host.
    await host.must(['sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=0']);
    const { v4 } = lab.spec.lan;
    await host.docker(
      ...['network', 'create', '--driver', 'macvlan', '--opt', `parent=${lanLink}`],
      ...[
        '--subnet',
        v4,
        '--gateway',
        lab.lan.plan.v4(1),
        '--ip-range',
        `${lab.lan.plan.v4(64)}/27`,
        lanNetwork,
      ],
    );
    await host.docker('network', 'create', '--internal', '--subnet', '172.29.0.0/16', transit);
    const engine = connectEngine(scope, { endpoint: { kind: 'unix', socketPath: host.socketPath } });
    return new Stand(lab, host, engine, await anchordImage(host, say));
  }

  private constructor(lab: Lab, host: Host, engine: Engine, image: string) {
    this.lab = lab;
    this.host = host;
    this.engine = engine;
    this.image = image;
  }

  async run({ name, image, options = [], command = [] }: Run): Promise<string> {
    const args = ['run', '--detach', '--name', name, ...options, image, ...command];
    return (await this.host.docker(...args)).trim();
  }

  /** A network-anchor with the last part of its address, as the compose files of the examples start it. */
  async networkAnchor(
    lastPart: number,
    {
      name = 'anchord',
      env = {},
    }: { readonly name?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<string> {
    const settings = { ANCHORD_PROJECT: project, ANCHORD_EXT_NETWORK: lanNetwork, ...env };
    const id = await this.host.docker(
      ...['create', '--name', name, '--cap-add', 'NET_ADMIN', '--sysctl', 'net.ipv4.ip_forward=1'],
      ...Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
      ...['--volume', '/var/run/docker.sock:/var/run/docker.sock:ro'],
      ...['--network', lanNetwork, '--ip', this.lanAddress(lastPart), this.image],
    );
    await this.host.docker('network', 'connect', '--alias', 'anchord', transit, name);
    await this.host.docker('start', name);
    return id.trim();
  }

  /** A service-anchor that exposes ports. */
  serviceAnchor(name: string, expose: string): Promise<string> {
    const labels = Object.entries(labelOf(expose)).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
    const options = ['--cap-add', 'NET_ADMIN', '--network', transit, ...labels];
    return this.run({ name, image: this.image, options, command: ['service-anchor'] });
  }

  lanAddress(lastPart: number): string {
    return this.lab.lan.plan.v4(lastPart);
  }

  async transitAddress(name: string): Promise<string> {
    const address = (await this.engine.containers.inspect(name)).attachments[transit]?.ipv4;
    if (address === undefined) throw new Error(`${name} has no address on ${transit}`);
    return address;
  }

  /** Its number outside of the lab. */
  async pidOf(name: string): Promise<number> {
    const { state } = await this.engine.containers.inspect(name);
    if (!state.running) throw new Error(`${name} does not run: ${await this.host.docker('logs', name)}`);
    return state.pid;
  }

  /** The network namespace of a container. */
  async namespaceOf(name: string): Promise<Netns> {
    return Netns.atPath(this.host.path(`/proc/${await this.pidOf(name)}/ns/net`));
  }

  /** Waits until a container has logged a message. */
  async logged(name: string, msg: string): Promise<void> {
    const look = async () => (await this.host.docker('logs', name)).includes(`"msg":"${msg}"`);
    await waitFor(`"${msg}" in the log of ${name}`, look, { timeoutMs: 60_000, everyMs: 100 });
  }

  /** Takes all containers away. */
  async clear(): Promise<void> {
    const ids = (await this.host.docker('ps', '--all', '--quiet')).split('\n').filter(Boolean);
    if (ids.length > 0) await this.host.docker('rm', '--force', '--volumes', ...ids);
  }
}
