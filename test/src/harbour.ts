/** A corner of the lab in which anchord stacks can be brought up, and what their tests ask again and again. */
import { type Client, echo, ensureImage, type Host, serveDhcp, silenceDhcp } from '@berth/lab';
import { openSpace, type Space, waitFor } from '@berth/lab/testing';

import type { ComposeProject } from './compose.ts';
import { type MailStackOptions, mailStack } from './mail-stack.ts';

type Greeting = Awaited<ReturnType<Client['greetTcp']>>;

const say = (line: string): void => void process.stdout.write(`  ${line}\n`);

/** Does the host put bridged packets through its packet filter? Docker wants it so; anchord's path needs it otherwise. */
export async function filterBridges(host: Host, on: boolean): Promise<void> {
  const value = on ? 1 : 0;
  const settings = ['iptables', 'ip6tables'].map((name) => `net.bridge.bridge-nf-call-${name}=${value}`);
  await host.must(['sysctl', '--quiet', '--write', ...settings]);
}

export class Harbour implements AsyncDisposable {
  readonly space: Space;
  readonly lan: string;
  readonly #stacks: ComposeProject[] = [];

  static async open(host?: string): Promise<Harbour> {
    const space = await openSpace(host);
    try {
      await ensureImage(space.host, echo(), say);
      await filterBridges(space.host, false);
      // A router that advertises itself while Docker sets its own IPv6 gateway makes Docker fail ("file exists").
      await silenceDhcp(space.lab.lan);
      return new Harbour(space, await space.lanNetwork());
    } catch (error) {
      await space[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(space: Space, lan: string) {
    this.space = space;
    this.lan = lan;
  }

  get host(): Host {
    return this.space.host;
  }

  /** An address on the LAN by its last part. */
  address(family: 4 | 6, host: number): string {
    const { plan } = this.space.lab.lan;
    return family === 4 ? plan.v4(host) : plan.v6(host);
  }

  async stack(options: Omit<MailStackOptions, 'lan'> = {}): Promise<ComposeProject> {
    const stack = await mailStack(this.space, { lan: this.lan, ...options });
    this.#stacks.push(stack);
    return stack;
  }

  /** The greeting of a service, as soon as it can be reached. */
  async reach(
    family: 4 | 6,
    { host = 40, port = 25, from = 'client1', timeoutMs = 60_000 } = {},
  ): Promise<Greeting> {
    const client = this.space.client(from);
    const target = { host: this.address(family, host), port, timeoutMs: 1_000 };
    return await waitFor(
      `an answer from ${target.host} port ${port}`,
      async () => await client.greetTcp(target).catch(() => undefined),
      { timeoutMs },
    );
  }

  /** The address of a client of the lab. */
  clientAddress(family: 4 | 6, name = 'client1'): string {
    const client = this.space.client(name);
    return family === 4 ? client.v4 : client.v6;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stack of this.#stacks) await stack[Symbol.asyncDispose]();
    // As Docker itself had set it.
    await filterBridges(this.host, true);
    const { lan, spec } = this.space.lab;
    if (spec.lan.dhcp !== false) await serveDhcp(lan, spec.lan.dhcp);
    await this.space[Symbol.asyncDispose]();
    await removeOrphans(this.host);
  }
}

/** An anchor that is about to go may still have made its managed service-anchor anew, for a target that went before it. */
async function removeOrphans(host: Host): Promise<void> {
  const maker = 'anchord.managed-by.container';
  const list = async (format: string, ...options: readonly string[]): Promise<readonly string[]> =>
    (await host.docker('ps', '--all', '--format', format, ...options)).split('\n').filter(Boolean);
  const made = await list(`{{.ID}} {{.Label "${maker}"}}`, '--filter', `label=${maker}`);
  const present = new Set(await list('{{.Names}}'));
  const orphans = made
    .map((line) => line.split(' '))
    .filter(([, by = '']) => !present.has(by))
    .map(([id = '']) => id);
  if (orphans.length > 0) await host.docker('rm', '--force', ...orphans);
}

/** Waits for a message in the log of a service; hands back its line. */
export async function logged(
  stack: ComposeProject,
  service: string,
  msg: string,
  matches: (line: Readonly<Record<string, unknown>>) => boolean = () => true,
  timeoutMs = 60_000,
) {
  let last: readonly { readonly msg: string }[] = [];
  return await waitFor(
    `"${msg}" in the log of ${service}`,
    async () => {
      const lines = await stack.logs(service);
      last = lines;
      return lines.find((line) => line.msg === msg && matches(line));
    },
    { timeoutMs, everyMs: 50, evidence: () => last.map((line) => JSON.stringify(line)).join('\n') },
  );
}
