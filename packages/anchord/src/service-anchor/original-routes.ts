/** Records, keeps and restores the default routes that were there before us: the executor of `original-route.ts`. */
import { MAIN_TABLE, type Network, type NewRoute, type Route } from '@berth/kernel/network';
import type { Log } from '@berth/service/log';
import { type Family, families, familyNumber } from '../families.ts';
import { serviceAnchorMessages as messages } from '../messages/index.ts';
import { defaultRoutes } from '../routes/default-route.ts';
import { originalRoutesTable, planRestore, rememberOriginal } from './original-route.ts';

export class OriginalRoutes {
  readonly #network: Network;
  readonly #log: Log;
  readonly #originals = new Map<Family, Route>();

  constructor(network: Network, log: Log) {
    this.#network = network;
    this.#log = log;
  }

  /** Before anything is installed. */
  record(): void {
    for (const family of families) {
      try {
        this.#record(family);
      } catch (error) {
        this.#log.say(messages.originalUnknown, { family, err: error });
      }
    }
  }

  #record(family: Family): void {
    const [remembered] = this.#list(family, originalRoutesTable);
    const remembering = rememberOriginal(this.#defaults(family), remembered);
    if (remembering.kind === 'nothing') return;
    const { route } = remembering;
    this.#originals.set(family, route);
    const message = remembering.kind === 'record' ? messages.originalRecorded : messages.originalKept;
    this.#log.say(message, { family, gateway: route.gateway ?? '' });
    if (remembering.kind === 'record') {
      this.#forget(family);
      this.#network.routes.replace({ ...withoutAge(route), table: originalRoutesTable });
    }
  }

  /** Takes our routes away and brings the originals back; says for each family whether there was one of ours. */
  restore(): ReadonlySet<Family> {
    const ended = new Set<Family>();
    for (const family of families) if (this.#restore(family)) ended.add(family);
    return ended;
  }

  #restore(family: Family): boolean {
    const { remove, restore } = planRestore(this.#defaults(family), this.#originals.get(family));
    if (remove === undefined) {
      this.#forget(family);
      return false;
    }
    let restored = false;
    if (restore !== undefined) restored = this.#putBack(family, restore);
    // An original of the same metric has taken its place already.
    if (!restored || restore?.metric !== remove.metric) this.#remove(family, remove);
    this.#log.say(messages.removed, { family, gateway: remove.gateway ?? '' });
    if (restored) this.#log.say(messages.restored, { family, gateway: restore?.gateway ?? '' });
    this.#forget(family);
    return true;
  }

  #putBack(family: Family, original: Route): boolean {
    try {
      this.#network.routes.replace({ ...withoutAge(original), table: MAIN_TABLE });
      return true;
    } catch (error) {
      this.#log.say(messages.restoreFailed, { family, gateway: original.gateway ?? '', err: error });
      return false;
    }
  }

  #remove(family: Family, route: Route): void {
    try {
      this.#network.routes.delete(route);
    } catch (error) {
      this.#log.say(messages.cleanupFailed, { family, err: error });
    }
  }

  #forget(family: Family): void {
    for (const route of this.#list(family, originalRoutesTable)) this.#network.routes.delete(route);
  }

  #defaults = (family: Family): readonly Route[] => defaultRoutes(this.#list(family, MAIN_TABLE));

  #list(family: Family, table: number): readonly Route[] {
    return this.#network.routes.list({ family: familyNumber(family), table });
  }
}

/** A route that we write stays until somebody takes it away, also where the kernel had given it an end. */
function withoutAge({ expiresSeconds: _, ...route }: Route): NewRoute {
  return route;
}
