/** A ruleset as a plain value: what is read from the kernel, what should be there, what is printed and compared. */
import type { DataType } from './data-types.ts';
import type { Family } from './family.ts';
import type { Statement, Tally } from './statements.ts';
import type { Data, Key } from './values.ts';

export interface Rule {
  readonly statements: readonly Statement[];
  readonly comment?: string;
  /** The kernel's number for the rule, in a ruleset that was read back. */
  readonly handle?: number;
}

export type ChainType = 'filter' | 'nat' | 'route';

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

export type Policy = 'accept' | 'drop';

/** What makes a chain see packets by itself. */
export interface Base {
  readonly type: ChainType;
  readonly hook: Hook;
  readonly priority: number;
  readonly policy: Policy;
}

export interface Chain {
  readonly name: string;
  /** Absent in a chain that only sees what is sent to it. */
  readonly base?: Base;
  readonly comment?: string;
  readonly rules: readonly Rule[];
}

export interface Counter {
  readonly name: string;
  readonly comment?: string;
  /** What it stands at, in a ruleset that was read back. */
  readonly tally?: Tally;
}

export interface Element {
  readonly key: Key;
  readonly comment?: string;
  readonly timeoutMs?: number;
  /** When it will go by itself, in a ruleset that was read back. */
  readonly expiresMs?: number;
  /** What it counted, in a set with counters that was read back. */
  readonly tally?: Tally;
}

export interface MapElement extends Element {
  readonly data: Data;
}

/** An element of a set, or of a map. */
export type AnyElement = Element & { readonly data?: Data };

export interface SetShape {
  readonly name: string;
  /** One type, or several as a concatenation. */
  readonly key: readonly DataType[];
  /** Holds networks and ranges, too. */
  readonly intervals?: boolean;
  /** How long an element stays if it does not say so itself. */
  readonly timeoutMs?: number;
  /** Elements may have a timeout of their own. */
  readonly timeouts?: boolean;
  /** Rules may add elements. What they added is no drift. */
  readonly dynamic?: boolean;
  /** The most elements that it takes. */
  readonly size?: number;
  /** Each element counts the packets that met it. */
  readonly counted?: boolean;
  readonly comment?: string;
}

export interface NamedSet extends SetShape {
  readonly kind: 'set';
  readonly elements: readonly Element[];
}

export interface NamedMap extends SetShape {
  readonly kind: 'map';
  readonly data: readonly DataType[] | 'verdict';
  readonly elements: readonly MapElement[];
}

export type SetOrMap = NamedSet | NamedMap;

export interface TableName {
  readonly family: Family;
  readonly name: string;
}

export interface Table extends TableName {
  readonly comment?: string;
  readonly counters: readonly Counter[];
  /** Sets and maps share their names, and the kernel's table. */
  readonly sets: readonly SetOrMap[];
  readonly chains: readonly Chain[];
  /** What was found in it and could not be read, in words. Only in a ruleset that was read back. */
  readonly unreadable?: readonly string[];
}

/** All tables of one owner. Nothing that belongs to somebody else is ever in it. */
export interface Ruleset {
  /** Stands in the comment of each table, and tells ours from those of others. */
  readonly owner: string;
  readonly tables: readonly Table[];
}
