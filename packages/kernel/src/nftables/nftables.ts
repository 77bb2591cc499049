/** nf_tables of one network namespace: read it, compare it, change it in one transaction. */

import { kernelErrors } from '../errors.ts';
import { MessageWriter, NETLINK_NETFILTER, NetlinkSocket, refusalError } from '../netlink/index.ts';
import { Netns } from '../netns/index.ts';
import { checkChanges, checkRuleset } from './check/index.ts';
import { type Change, commandsOf, commandsOfChanges, diff } from './diff/index.ts';
import type { Ruleset, Table, TableName } from './model/index.ts';
import {
  type Command,
  deleteTable,
  readGeneration,
  readTable,
  readTableHeaders,
  type TableHeader,
  writeBatch,
} from './wire/index.ts';

export interface NftablesOptions {
  /** Default our own. */
  readonly namespace?: Netns;
}

export interface Snapshot {
  readonly generation: number;
  /** All tables of the owner that was asked for. */
  readonly ruleset: Ruleset;
  /** The tables of everybody else. */
  readonly others: readonly TableHeader[];
}

export interface ApplyOptions {
  /** Replaces a table of one of our names even if it is not marked as ours. */
  readonly takeOver?: boolean;
}

export interface Applied {
  /** What was done; empty if all was as it should be, and then nothing was written. */
  readonly changes: readonly Change[];
  /** The generation in which the ruleset is in force. */
  readonly generation: number;
}

/** Netlink takes a transaction in one piece: room for one of some 300,000 elements. */
const SEND_BUFFER_BYTES = 32 * 2 ** 20;
const RECEIVE_BUFFER_BYTES = 2 ** 20;

/** Whoever else changes rulesets at the same time makes us look again, but not for ever. */
const ATTEMPTS = 10;

export class Nftables implements Disposable {
  readonly #socket: NetlinkSocket;
  readonly #where: string;

  private constructor(socket: NetlinkSocket, where: string) {
    this.#socket = socket;
    this.#where = where;
  }

  static open({ namespace = Netns.own }: NftablesOptions = {}): Nftables {
    const socket = NetlinkSocket.open({
      protocol: NETLINK_NETFILTER,
      namespace,
      sendBufferBytes: SEND_BUFFER_BYTES,
      receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    });
    return new Nftables(socket, namespace.name);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  /** Counts the transactions of everybody in this namespace: the same number, the same rulesets. */
  generation(): number {
    return readGeneration(this.#socket);
  }

  /** All tables of the namespace. */
  tables(): TableHeader[] {
    return readTableHeaders(this.#socket);
  }

  /** What is in force, of one moment: the owner's tables as values, and the names of all others. */
  read(owner: string): Snapshot {
    return this.#attempt(() => {
      const generation = this.generation();
      const headers = this.tables();
      const tables = headers.flatMap((header): Table[] => {
        const name = nameOf(header);
        if (header.owner !== owner || name === undefined) return [];
        return [readTable(this.#socket, name, header)];
      });
      if (this.generation() !== generation) {
        throw kernelErrors.error(
          'KERNEL_STALE',
          `reading the tables of ${owner} in ${this.#where} failed: somebody else changed rulesets meanwhile`,
        );
      }
      const others = headers.filter((header) => !tables.some((table) => isTable(header, table)));
      return { generation, ruleset: { owner, tables }, others };
    });
  }

  /** Puts the ruleset in force, whatever its tables are now; answers the new generation. */
  replace(desired: Ruleset, options: ApplyOptions = {}): number {
    checkRuleset(desired);
    const what = `replacing the tables of ${desired.owner}`;
    return this.#attempt(() => {
      const generation = this.generation();
      this.#refuseForeign(desired, this.tables(), options);
      return this.#transact(what, commandsOf(desired), generation);
    });
  }

  /** Reads what is there and changes only what is not as it should be. */
  reconcile(desired: Ruleset, options: ApplyOptions = {}): Applied {
    checkRuleset(desired);
    return this.#attempt(() => {
      const { generation, ruleset, others } = this.read(desired.owner);
      const taken = this.#refuseForeign(desired, others, options);
      const changes = diff(ruleset, desired).map((change): Change => {
        const foreign = change.change === 'add-table' && taken.some((table) => isTable(table, change.table));
        return foreign
          ? { change: 'replace-table', table: change.table, because: 'it belonged to somebody else' }
          : change;
      });
      return { changes, generation: this.commit(desired, changes, generation) };
    });
  }

  /**
   * Does these changes on the way to `desired`, in one transaction, if the rulesets of the namespace are still of the
   * generation that the changes were planned for; otherwise KERNEL_STALE, and nothing has happened. Without changes
   * nothing is written. Answers the generation in which they are in force.
   */
  commit(desired: Ruleset, changes: readonly Change[], generation: number): number {
    checkChanges(desired, changes);
    return this.#transact(
      `changing the tables of ${desired.owner}`,
      commandsOfChanges(desired, changes),
      generation,
    );
  }

  /**
   * Deletes tables, each of which may be missing. One that is not marked as the owner's is refused, and then none is
   * deleted; `takeOver` deletes it all the same.
   */
  remove(owner: string, names: readonly TableName[], options: ApplyOptions = {}): void {
    const what = `removing tables of ${owner}`;
    this.#attempt(() => {
      const generation = this.generation();
      const headers = this.tables();
      const present = names.filter((name) => headers.some((header) => isTable(header, name)));
      this.#refuseForeign({ owner, tables: present }, headers, options);
      this.#transact(what, present.map(deleteTable), generation);
    });
  }

  /** The wanted tables that belong to somebody else: an error, unless they may be taken over. */
  #refuseForeign(
    wanted: { readonly owner: string; readonly tables: readonly TableName[] },
    present: readonly TableHeader[],
    { takeOver = false }: ApplyOptions,
  ): readonly TableHeader[] {
    const foreign = present.filter(
      (header) => header.owner !== wanted.owner && wanted.tables.some((name) => isTable(header, name)),
    );
    const [first] = foreign;
    if (first === undefined || takeOver) return foreign;
    const whose = first.owner === undefined ? 'carries no mark of ours' : `belongs to ${first.owner}`;
    throw kernelErrors.error(
      'NFTABLES_FOREIGN_TABLE',
      `table ${first.family} ${first.name} in ${this.#where} ${whose}, and ${wanted.owner} wants that name`,
      { details: { tables: foreign.map(({ family, name }) => `${family} ${name}`), owner: wanted.owner } },
    );
  }

  /** One transaction, or nothing if there is nothing to do. */
  #transact(what: string, commands: readonly Command[], generation: number): number {
    if (commands.length === 0) return generation;
    const writer = new MessageWriter(4096);
    const nextSequence = (): number => this.#socket.nextSequence();
    const batch = writeBatch(writer, commands, { nextSequence, generation });
    const { refusals, acknowledged } = this.#socket.batch(writer, `${what} in ${this.#where}`);
    const [first, ...more] = refusals;
    if (first !== undefined) {
      const told = (sequence: number): string => batch.commands.get(sequence)?.what ?? what;
      throw refusalError(first, `${told(first.sequence)} in ${this.#where}`, {
        ...(more.length === 0 ? {} : { alsoRefused: more.map(({ sequence }) => told(sequence)) }),
      });
    }
    if (!acknowledged.includes(batch.last)) {
      throw kernelErrors.error(
        'KERNEL_NO_ANSWER',
        `${what} in ${this.#where}: the kernel did not confirm it`,
      );
    }
    return this.#generationAfter(generation);
  }

  /**
   * A transaction moves the generation on by one, or not at all if it came to nothing. If it moved on by more, others were
   * at work after us: then ours is the one after the old, and plans for it will be refused as stale.
   */
  #generationAfter(before: number): number {
    const next = before === 0xffff_ffff ? 1 : before + 1;
    return this.generation() === before ? before : next;
  }

  /** Again from the start when somebody else was faster or, in the midst of reading, removed what was just listed. */
  #attempt<T>(run: () => T): T {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return run();
      } catch (error) {
        if (attempt === ATTEMPTS || !isOutrun(error)) throw error;
      }
    }
  }
}

const isOutrun = (error: unknown): boolean =>
  kernelErrors.is(error, 'KERNEL_STALE') || kernelErrors.is(error, 'KERNEL_NOT_FOUND');

const isTable = (header: TableHeader, { family, name }: TableName): boolean =>
  header.family === family && header.name === name;

function nameOf({ family, name }: TableHeader): TableName | undefined {
  const ours = (['ip', 'ip6', 'inet'] as const).find((known) => known === family);
  return ours === undefined ? undefined : { family: ours, name };
}
