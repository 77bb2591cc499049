/** What we know of the containers in our scope and of those that they refer to; fed piece by piece, asked as a whole. */
import { denotes } from '@berth/engine';
import { exposeLabel } from '../labels.ts';
import { type Discovery, discover, unresolvedReferences } from './backends.ts';
import type { ObservedContainer } from './container.ts';
import type { SharedNetworkPicker } from './shared-network.ts';

/** Who an event speaks of. */
export interface Subject {
  readonly id: string;
  /** Without the leading slash; a network event does not name the container. */
  readonly name: string | undefined;
}

export class ObservedWorld {
  readonly #scope = new Map<string, ObservedContainer>();
  /** By reference as it stands in `container:<ref>`; undefined for one that leads nowhere. */
  readonly #references = new Map<string, ObservedContainer | undefined>();
  #changes = 0;

  /** How often something has changed: the same number, the same answer of `discover`. */
  get changes(): number {
    return this.#changes;
  }

  /** A whole list: what is not in it is gone. References are to be looked up again. */
  replace(containers: Iterable<ObservedContainer>): void {
    this.#changes += 1;
    this.#scope.clear();
    this.#references.clear();
    for (const container of containers) this.put(container);
  }

  /**
   * One container as it is now. One that does not run, or says nothing of ports, is no backend; and where it stands says
   * nothing about where backends are: we ourselves stand everywhere.
   */
  put(container: ObservedContainer): void {
    if (!container.running || !(exposeLabel in container.labels)) {
      this.drop(container.id);
      return;
    }
    this.#changes += 1;
    this.#scope.set(container.id, container);
  }

  drop(id: string): void {
    if (this.#scope.delete(id)) this.#changes += 1;
  }

  has(id: string): boolean {
    return this.#scope.has(id);
  }

  /** Forgets what the subject's references lead to. True if somebody refers to it. */
  forgetReferencesTo({ id, name }: Subject): boolean {
    let found = false;
    for (const [ref, target] of this.#references) {
      if (target?.id === id || denotes(ref, { id, names: name === undefined ? [] : [name] })) {
        this.#references.delete(ref);
        this.#changes += 1;
        found = true;
      }
    }
    return found;
  }

  learn(ref: string, target: ObservedContainer | undefined): void {
    this.#changes += 1;
    this.#references.set(ref, target);
  }

  /** What has to be learned before `discover` sees everything. Learning it can lead to further ones. */
  unresolved(): ReadonlySet<string> {
    return unresolvedReferences(
      this.#scope.values(),
      (ref) => this.#references.has(ref),
      (ref) => this.#references.get(ref),
    );
  }

  discover(picker: SharedNetworkPicker): Discovery {
    return discover(this.#scope.values(), (ref) => this.#references.get(ref), picker);
  }
}
