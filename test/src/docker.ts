/** Containers of a test, as Docker shows them: who they are, and in whose network namespace they really sit. */

import type { Space } from '@berth/lab/testing';
import { waitFor } from '@berth/lab/testing';

export interface Shown {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly pid: number;
  readonly image: string;
  readonly networkMode: string;
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly startedAt: string;
}

interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly State: { readonly Status: string; readonly Pid: number; readonly StartedAt: string };
  readonly HostConfig: { readonly NetworkMode: string };
  readonly Config: {
    readonly Env: readonly string[] | null;
    readonly Labels: Readonly<Record<string, string>> | null;
  };
}

export class Containers {
  readonly #space: Space;

  constructor(space: Space) {
    this.#space = space;
  }

  /** Undefined where there is none. */
  async find(name: string): Promise<Shown | undefined> {
    const { code, stdout } = await this.#space.host.exec(['docker', 'inspect', '--type', 'container', name]);
    if (code !== 0) return undefined;
    const [one] = JSON.parse(stdout) as readonly Inspected[];
    return (
      one && {
        id: one.Id,
        name: one.Name.slice(1),
        status: one.State.Status,
        pid: one.State.Pid,
        image: one.Image,
        networkMode: one.HostConfig.NetworkMode,
        env: one.Config.Env ?? [],
        labels: one.Config.Labels ?? {},
        startedAt: one.State.StartedAt,
      }
    );
  }

  async get(name: string): Promise<Shown> {
    const found = await this.find(name);
    if (found === undefined) throw new Error(`there is no container ${name}`);
    return found;
  }

  /** The kernel's name of the network namespace in which it really sits; undefined while it does not run. */
  async namespaceOf(name: string): Promise<string | undefined> {
    const pid = (await this.find(name))?.pid ?? 0;
    if (pid === 0) return undefined;
    const { code, stdout } = await this.#space.host.exec(['readlink', `/proc/${pid}/ns/net`]);
    return code === 0 ? stdout.trim() : undefined;
  }

  /** Waits until it sits in the namespace of that one. */
  async joined(name: string, owner: string, timeoutMs = 60_000): Promise<Shown> {
    let last = '';
    return await waitFor(
      `${name} in the namespace of ${owner}`,
      async () => {
        const [own, its, shown] = await Promise.all([
          this.namespaceOf(name),
          this.namespaceOf(owner),
          this.find(name),
        ]);
        last = `${own} ${its} ${JSON.stringify(shown)}`;
        return own !== undefined && own === its && shown?.status === 'running' && shown;
      },
      { timeoutMs, everyMs: 100, evidence: () => last },
    );
  }
}
