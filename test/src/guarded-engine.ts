/** The engine behind a proxy that lets pass what a test permits and nothing else: how much does anchord need of it? */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Feature, featureRow, type PermissionName, permissions } from '@berth/anchord/permissions';
import { allowOnly, FaultProxy } from '@berth/lab/fault-proxy';
import { expect } from 'vitest';
import { diagnose } from './doctor.ts';
import type { Harbour } from './harbour.ts';

const signOfLife = ['GET /_ping', 'GET /version'];

/** The names of all that features ask of Docker. */
export const needsOf = (features: readonly Feature[]): readonly PermissionName[] =>
  features.flatMap((feature) => featureRow(feature).needs);

/** How the readiness says that it is missing. */
export const warningOf = (name: PermissionName): string =>
  `warning: docker-permission: ${name}: may not ${permissions[name].what}`;

export class GuardedEngine implements AsyncDisposable {
  readonly proxy: FaultProxy;
  /** How a container is to be given it: a bind, … */
  readonly volume: string;
  /** … and where it then finds it. */
  readonly address = 'unix:///run/engine/engine.sock';
  readonly #harbour: Harbour;

  static async open(harbour: Harbour): Promise<GuardedEngine> {
    const { host, space } = harbour;
    const folder = space.name('engine');
    await mkdir(join(host.runFolder, folder), { recursive: true });
    const proxy = await FaultProxy.start(
      { socketPath: host.socketPath },
      { socketPath: join(host.runFolder, folder, 'engine.sock') },
    );
    return new GuardedEngine(harbour, proxy, `/run/${folder}:/run/engine`);
  }

  private constructor(harbour: Harbour, proxy: FaultProxy, volume: string) {
    this.#harbour = harbour;
    this.proxy = proxy;
    this.volume = volume;
  }

  /** Exactly what the table says of these features, but for one thing. */
  permit(features: readonly Feature[], without?: PermissionName): void {
    this.permitOnly(needsOf(features).filter((name) => name !== without));
  }

  permitOnly(names: readonly PermissionName[]): void {
    this.proxy.permit(allowOnly([...signOfLife, ...names.map((name) => permissions[name].request)]));
  }

  /** The requests that it has refused, each once. */
  get refused(): readonly string[] {
    return [
      ...new Set(
        this.proxy.exchanges.flatMap(({ method, url, status }) =>
          status === 403 ? [`${method} ${url.split('?')[0]}`] : [],
        ),
      ),
    ];
  }

  /** What was asked so far does not count. */
  forget(): void {
    this.proxy.exchanges.length = 0;
  }

  /** Takes one right at a time from what runs, and asks the doctor in there; `argv` runs the program. */
  async doctorNamesEach(argv: readonly string[], features: readonly Feature[]): Promise<void> {
    const { host } = this.#harbour;
    for (const name of new Set(needsOf(features))) {
      this.permit(features, name);
      const found = await diagnose(host, argv, '--only', 'docker-permission');
      expect(
        found.of('docker-permission').map(({ subject }) => subject),
        `without ${name}`,
      ).toEqual([name]);
    }
    this.permit(features);
    const found = await diagnose(host, argv, '--only', 'docker-permission');
    expect(found.codes('fine')).toEqual(['docker-permission']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
  }
}
