/** Each tenant's own network: made when the first lease needs it, gone with the last one. */
import { engineErrors, mayHaveHappened, type Network, type Networks } from '@berth/engine';
import { KeyedSerial } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { label, tenantNetworkName } from '../names/index.ts';
import { ourFilters } from './listing.ts';

export class TenantNetworks {
  readonly #networks: Networks;
  readonly #backendName: string;
  readonly #log: Log;
  /** Making and removing the network of one tenant exclude each other. */
  readonly #serial = new KeyedSerial<string>();
  readonly #looking = new Map<string, Promise<string>>();

  constructor(networks: Networks, backendName: string, log: Log) {
    this.#networks = networks;
    this.#backendName = backendName;
    this.#log = log;
  }

  /**
   * The name of the tenant's network, which exists when this resolves. Who asks while it is being looked for gets what is found:
   * a lease is known before it asks, so nobody takes the network away in between.
   */
  ensure(tenant: string): Promise<string> {
    const looking = this.#looking.get(tenant);
    // What goes wrong for one need not go wrong for the others.
    return looking === undefined ? this.#look(tenant) : looking.catch(() => this.#look(tenant));
  }

  #look(tenant: string): Promise<string> {
    const found = this.#serial.run(tenant, async () => {
      const existing = await this.#find(tenant);
      return existing?.name ?? (await this.#create(tenant));
    });
    this.#looking.set(tenant, found);
    const forget = (): void => {
      if (this.#looking.get(tenant) === found) this.#looking.delete(tenant);
    };
    found.then(forget, forget);
    return found;
  }

  /** Removes it if nobody needs it: `isNeeded` is asked when it cannot be ensured by anybody else meanwhile. */
  release(tenant: string, isNeeded: () => boolean): Promise<void> {
    return this.#serial.run(tenant, async () => {
      if (isNeeded()) return;
      for (const { id } of await this.#list(`${label.tenant}=${tenant}`)) await this.#removeIfEmpty(id);
    });
  }

  /** Removes the networks of tenants that nobody knows any more. */
  async tidy(isNeeded: (tenant: string) => boolean): Promise<void> {
    for (const { labels } of await this.#list()) {
      const tenant = labels[label.tenant];
      if (tenant === undefined || isNeeded(tenant)) continue;
      await this.release(tenant, () => isNeeded(tenant)).catch((error: unknown) =>
        this.#log.warn('network of a tenant without leases could not be removed', {
          tenant,
          error: errorText(error),
        }),
      );
    }
  }

  #list(...labels: readonly string[]): Promise<Network[]> {
    return this.#networks.list(ourFilters(this.#backendName, ...labels));
  }

  async #find(tenant: string): Promise<Network | undefined> {
    const [first] = await this.#list(`${label.tenant}=${tenant}`);
    return first;
  }

  async #create(tenant: string): Promise<string> {
    const name = tenantNetworkName(tenant);
    try {
      return await this.#createAs(name, tenant);
    } catch (error) {
      if (!isTaken(error) && !mayHaveHappened(error)) throw error;
      // Somebody was quicker: we ourselves, before a lost answer, or another backend on this engine for the same tenant.
      const ours = await this.#find(tenant);
      if (ours === undefined && !isTaken(error)) throw error;
      return ours?.name ?? (await this.#createAs(`${name}-${this.#backendName}`, tenant));
    }
  }

  async #createAs(name: string, tenant: string): Promise<string> {
    await this.#networks.create({
      Name: name,
      Driver: 'bridge',
      // Ports of an internal network cannot be published.
      Internal: false,
      Labels: { [label.managed]: 'true', [label.tenant]: tenant, [label.backendName]: this.#backendName },
    });
    return name;
  }

  async #removeIfEmpty(id: string): Promise<void> {
    try {
      const { members } = await this.#networks.inspect(id);
      if (Object.keys(members).length === 0) await this.#networks.remove(id);
    } catch (error) {
      if (!engineErrors.is(error, 'ENGINE_NOT_FOUND') && !engineErrors.is(error, 'ENGINE_NETWORK_IN_USE'))
        throw error;
    }
  }
}

const isTaken = (error: unknown): boolean =>
  engineErrors.is(error, 'ENGINE_NAME_IN_USE') || engineErrors.is(error, 'ENGINE_CONFLICT');
