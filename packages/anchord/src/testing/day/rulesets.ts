/** nftables as the data plane sees it, in memory: generations, transactions that happen or do not, and other programs. */

import { isDeepStrictEqual } from 'node:util';
import { kernelErrors } from '@berth/kernel';
import { type Change, diff, type Ruleset, type TableName } from '@berth/kernel/nftables';
import type { Rulesets } from '../../dataplane/dataplane.ts';

type Tables = Ruleset['tables'];

const same = (a: TableName, b: TableName): boolean => a.family === b.family && a.name === b.name;

export class SimulatedRulesets implements Rulesets {
  /** Refuses transactions as long as it is set. */
  refusal: Error | undefined;
  /** Transactions that changed something for us. */
  writes = 0;
  /** Hears of every transaction, whoever made it. */
  onTransaction: (() => void) | undefined;
  #generation = 1;
  #tables: Tables = [];

  generation(): number {
    return this.#generation;
  }

  replace({ tables }: Ruleset): number {
    return this.#transact(tables);
  }

  reconcile(desired: Ruleset): { changes: readonly Change[]; generation: number } {
    const changes = diff(this.#presentOf(desired), desired);
    return { changes, generation: this.commit(desired, changes, this.#generation) };
  }

  commit(desired: Ruleset, changes: readonly Change[], generation: number): number {
    if (generation !== this.#generation) {
      throw kernelErrors.error('KERNEL_STALE', 'the rulesets are of another generation');
    }
    if (changes.length === 0) return generation;
    // What was planned has to be what leads from here to there.
    if (!isDeepStrictEqual(changes, diff(this.#presentOf(desired), desired))) {
      throw kernelErrors.error('KERNEL_INVALID', 'these changes do not lead to the ruleset that is wanted');
    }
    return this.#transact(desired.tables);
  }

  remove(_owner: string, names: readonly TableName[]): void {
    if (!this.#tables.some((table) => names.some((name) => same(table, name)))) return;
    this.#transact(this.#tables.filter((table) => !names.some((name) => same(table, name))));
  }

  /** Another program does something that is none of our business. */
  disturb(): void {
    this.#generation += 1;
    this.onTransaction?.();
  }

  /** Another program flushes everything. */
  flush(): void {
    this.#tables = [];
    this.disturb();
  }

  /** Where the ports lead, over TCP and IPv4. */
  ledTo(): ReadonlyMap<number, string> {
    const table = this.#tables.find(({ family }) => family === 'ip');
    const map = table?.sets.find(({ name }) => name === 'dnat_tcp');
    return new Map(
      map?.kind === 'map' ? map.elements.map(({ key, data }) => [Number(key), String(data)]) : [],
    );
  }

  #presentOf({ owner, tables }: Ruleset): Ruleset {
    return { owner, tables: this.#tables.filter((table) => tables.some((wanted) => same(table, wanted))) };
  }

  #transact(tables: Tables): number {
    if (this.refusal !== undefined) throw this.refusal;
    this.#tables = tables;
    this.writes += 1;
    this.disturb();
    return this.#generation;
  }
}
