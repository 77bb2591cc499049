/** A test's own corner of the lab: names that nobody else has, and an end that leaves nothing of it. */
import { randomBytes } from 'node:crypto';
import type { Host } from '../host/host.ts';
import { lanLink } from '../host/host.ts';
import { removeLabelled } from '../host/labelled.ts';
import type { Lab } from '../lab.ts';
import type { Client } from '../network/client.ts';

const label = 'berth.test';

export class Space implements AsyncDisposable {
  readonly id = `t${randomBytes(4).toString('hex')}`;
  readonly lab: Lab;
  readonly host: Host;
  readonly #clients = new Map<string, Client>();
  readonly #projects = new Set<string>();

  constructor(lab: Lab, host: Host) {
    this.lab = lab;
    this.host = host;
    this.removesProject(this.id);
  }

  /** A name for a container, network, volume or Compose project that is this test's alone. */
  name(what: string): string {
    return `${this.id}-${what}`;
  }

  /** Marks what a docker command makes, so that it goes when the test ends. */
  get labelled(): readonly [string, string] {
    return ['--label', `${label}=${this.id}`];
  }

  /** Starts a container; hands back its full id. */
  async start(name: string, ...args: readonly string[]): Promise<string> {
    return (
      await this.host.docker('run', '--detach', '--name', this.name(name), ...this.labelled, ...args)
    ).trim();
  }

  /** A macvlan network on the LAN, with addresses that the DHCP server does not give; hands back its name. */
  async lanNetwork(...options: readonly string[]): Promise<string> {
    const { spec, plan } = this.lab.lan;
    const name = this.name('lan');
    await this.host.docker(
      ...[
        'network',
        'create',
        '--driver',
        'macvlan',
        '--opt',
        `parent=${lanLink}`,
        '--ipv6',
        ...this.labelled,
      ],
      ...['--subnet', spec.v4, '--gateway', plan.v4(plan.router), '--ip-range', `${plan.v4(64)}/27`],
      ...['--subnet', spec.v6, '--gateway', plan.v6(plan.router), ...options, name],
    );
    return name;
  }

  /** What Compose leaves of a project goes when the test ends. */
  removesProject(name: string): void {
    this.#projects.add(name);
  }

  /** A client of the lab, with sockets that end with the test. */
  client(name = 'client1'): Client {
    const client = this.#clients.get(name) ?? this.lab.client(name);
    this.#clients.set(name, client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) await client[Symbol.asyncDispose]();
    const projects = Array.from(this.#projects, (name) => `com.docker.compose.project=${name}`);
    await removeLabelled(this.host, `${label}=${this.id}`, ...projects);
  }
}
