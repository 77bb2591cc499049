/** Puts the desired data plane into the kernel, and looks after it. */
import { isDeepStrictEqual } from 'node:util';
import { kernelErrors } from '@berth/kernel';
import { type Change, diff, type Nftables, type Ruleset } from '@berth/kernel/nftables';
import type { DnatEntries } from './desired.ts';
import {
  type DataplaneShape,
  dataplaneRuleset,
  rulesetOwner,
  strayTableNames,
  tableNames,
} from './ruleset.ts';

/** What we know to be in force, as long as the generation is the same. */
interface InForce {
  readonly shape: DataplaneShape;
  readonly ruleset: Ruleset;
  readonly generation: number;
}

/** What of nftables it needs. */
export type Rulesets = Pick<Nftables, 'commit' | 'generation' | 'reconcile' | 'remove' | 'replace'>;

export class Dataplane {
  readonly #nftables: Rulesets;
  #shape: DataplaneShape;
  #entries: DnatEntries = new Map();
  #inForce: InForce | undefined;

  constructor(nftables: Rulesets, shape: DataplaneShape) {
    this.#nftables = nftables;
    this.#shape = shape;
  }

  /** What the kernel leads where. */
  get entries(): DnatEntries {
    return this.#entries;
  }

  /** From the next write on; false if that is as it was. */
  reshape(change: Partial<DataplaneShape>): boolean {
    const shape = { ...this.#shape, ...change };
    if (isDeepStrictEqual(shape, this.#shape)) return false;
    this.#shape = shape;
    return true;
  }

  /** Writes what has another shape now. */
  renew(): void {
    if (this.#inForce !== undefined && this.#inForce.shape !== this.#shape) this.apply(this.#entries);
  }

  /** Empty tables in place of whatever an earlier process left under our names. Touches nothing else. */
  install(): void {
    this.#nftables.remove(rulesetOwner, strayTableNames, { takeOver: true });
    const ruleset = dataplaneRuleset(this.#shape, new Map());
    const generation = this.#nftables.replace(ruleset, { takeOver: true });
    this.#inForce = { shape: this.#shape, ruleset, generation };
  }

  /** All ports of both families in one transaction; if it fails, the kernel has all of what it had before. */
  apply(entries: DnatEntries): void {
    const ruleset = dataplaneRuleset(this.#shape, entries, this.#inForce?.ruleset);
    const generation = this.#commit(ruleset);
    this.#entries = entries;
    this.#inForce = { shape: this.#shape, ruleset, generation };
  }

  /** The common case: nobody else changed anything, so the difference to what we wrote is the difference to the kernel. */
  #commit(ruleset: Ruleset): number {
    const known = this.#inForce;
    if (known !== undefined) {
      try {
        return this.#nftables.commit(ruleset, diff(known.ruleset, ruleset), known.generation);
      } catch (error) {
        if (!kernelErrors.is(error, 'KERNEL_STALE')) throw error;
      }
    }
    return this.#nftables.reconcile(ruleset, { takeOver: true }).generation;
  }

  /** Looks whether the kernel still has what we gave it, and puts back what is not. Answers what that was. */
  repair(): readonly string[] {
    if (this.#inForce !== undefined && this.#nftables.generation() === this.#inForce.generation) return [];
    const shape = this.#inForce?.shape ?? this.#shape;
    const ruleset = dataplaneRuleset(shape, this.#entries);
    const { changes, generation } = this.#nftables.reconcile(ruleset, { takeOver: true });
    this.#inForce = { shape, ruleset, generation };
    return changes.map(describeChange);
  }

  remove(): void {
    this.#nftables.remove(rulesetOwner, Object.values(tableNames), { takeOver: true });
    this.#inForce = undefined;
  }
}

/** For the log: `add-elements ip anchord_v4 dnat_tcp`. */
export function describeChange(change: Change): string {
  const { family, name } = change.table;
  const what =
    'set' in change
      ? change.set.name
      : 'chain' in change
        ? change.chain
        : 'name' in change
          ? change.name
          : '';
  return [change.change, family, name, typeof what === 'string' ? what : what.name]
    .filter((word) => word !== '')
    .join(' ');
}
