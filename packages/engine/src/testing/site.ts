import { busybox, type Host } from '@berth/lab';
import { lab, waitFor } from '@berth/lab/testing';
import { Scope } from '@berth/service';
import { handles } from '@berth/service/testing';
import type { ContainerCreateRequest } from '@docker/node-sdk';
import { afterAll, beforeAll, describe } from 'vitest';
import { connectEngine, type Engine } from '../engine.ts';
import type { Endpoint } from '../http/index.ts';

const rethrow = (error: unknown): void => {
  throw error;
};

/** A place on a real engine for one test file: everything on it carries its name, and goes at the end. */
export class Site {
  readonly host: Host;
  readonly scope: Scope;
  readonly engine: Engine;
  readonly name: string;
  readonly image = busybox.tag;
  readonly endpoint: Endpoint;

  constructor(host: Host) {
    this.host = host;
    this.name = `t${Math.random().toString(36).slice(2, 8)}`;
    this.scope = new Scope(this.name, rethrow);
    this.endpoint = { kind: 'unix', socketPath: host.socketPath };
    this.engine = connectEngine(this.scope, { endpoint: this.endpoint, env: {} });
  }

  /** A name of ours that nobody else has. */
  named(what: string): string {
    return `${this.name}-${what}`;
  }

  /** Creates a container that stays and ends at once when told to. */
  async create(what: string, request: ContainerCreateRequest = {}): Promise<string> {
    const labels = { ...request.Labels, 'berth.test': this.name };
    const { id } = await this.engine.containers.create(
      { Image: this.image, ...request, Labels: labels },
      { name: this.named(what) },
    );
    return id;
  }

  async run(what: string, request: ContainerCreateRequest = {}): Promise<string> {
    const id = await this.create(what, request);
    await this.engine.containers.start(id);
    return id;
  }

  /** Waits until the image's own command hears signals: the kernel drops those that come to a first process before. */
  async hears(id: string): Promise<void> {
    const caught = async (): Promise<boolean> => {
      const { stdout } = await this.engine.containers.exec(id, ['cat', '/proc/1/status']);
      return handles(stdout, 'SIGTERM') === true;
    };
    await waitFor(`${id} to hear signals`, caught, { timeoutMs: 60_000 });
  }

  /** The id of a new bridge network, with a subnet that no other test has. */
  network(what: string, subnet?: string): Promise<string> {
    return this.engine.networks.create({
      Name: this.named(what),
      Labels: { 'berth.test': this.name },
      ...(subnet === undefined ? {} : { IPAM: { Config: [{ Subnet: subnet }] } }),
    });
  }

  /** All of this site's containers, whatever they are called by now. */
  containers(): ReturnType<Engine['containers']['list']> {
    return this.engine.containers.list({ all: true, filters: { label: [`berth.test=${this.name}`] } });
  }

  async removeContainers(): Promise<void> {
    const remove = ({ id }: { readonly id: string }): Promise<void> =>
      this.engine.containers.remove(id, { force: true, volumes: true });
    await Promise.all((await this.containers()).map(remove));
  }

  async clear(): Promise<void> {
    const { networks, volumes } = this.engine;
    await this.removeContainers();
    for (const { id } of await networks.list({ label: [`berth.test=${this.name}`] }))
      await networks.remove(id);
    for (const { name } of await volumes.list({ name: [this.name] })) await volumes.remove(name);
  }
}

const hosts = (await lab()).hosts;

/** The same tests against every engine that the lab has. */
export function onEveryEngine(what: string, tests: (site: Site) => void): void {
  describe.each(hosts.map((host) => [host.engine, host] as const))(`${what}, on engine %s`, (_, host) => {
    const site = new Site(host);
    beforeAll(() => site.engine.system.ping().then(() => undefined));
    afterAll(async () => {
      await site.clear();
      await site.scope.close();
    });
    tests(site);
  });
}
