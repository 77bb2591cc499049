/**
 * What a rule is to the kernel: a list of expressions that load values into registers, compare them and act. Between our
 * statements and the bytes, so that each of the two steps stays simple. Values are in hexadecimal: plain, and comparable.
 */
import type { DataType } from './data-types.ts';
import type { Family } from './family.ts';
import type { InlineMap, InlineSet, Named, Verdict } from './values.ts';

/** A 32-bit register by its place, 0 to 15. A value of more than four bytes goes on in the ones behind. */
export type Register = number;

export const compareOperators = ['==', '!=', '<', '<=', '>', '>='] as const;
type CompareOperator = (typeof compareOperators)[number];

/** An anonymous set, with the types that its rule gives it. */
export interface Inline {
  readonly key: readonly DataType[];
  readonly data?: readonly DataType[] | 'verdict';
  readonly content: InlineSet | InlineMap;
}

export type SetReference = Named | Inline;

export type Expression =
  | { readonly is: 'meta'; readonly key: number; readonly into: Register }
  | { readonly is: 'meta-set'; readonly key: number; readonly from: Register }
  | {
      readonly is: 'payload';
      readonly base: number;
      readonly offset: number;
      readonly bytes: number;
      readonly into: Register;
    }
  | { readonly is: 'ct'; readonly key: number; readonly direction?: number; readonly into: Register }
  | { readonly is: 'ct-set'; readonly key: number; readonly from: Register }
  | { readonly is: 'fib'; readonly result: number; readonly flags: number; readonly into: Register }
  | {
      readonly is: 'cmp';
      readonly operator: CompareOperator;
      readonly from: Register;
      readonly value: string;
    }
  | {
      readonly is: 'range';
      readonly from: Register;
      readonly low: string;
      readonly high: string;
      readonly negated: boolean;
    }
  | {
      readonly is: 'bitwise';
      readonly from: Register;
      readonly into: Register;
      readonly mask: string;
      readonly xor: string;
    }
  | { readonly is: 'immediate'; readonly value: string; readonly into: Register }
  | { readonly is: 'verdict'; readonly verdict: Verdict }
  | {
      readonly is: 'lookup';
      readonly set: SetReference;
      readonly from: Register;
      /** Where what the map answers goes; absent for a set. */
      readonly into?: Register | 'verdict';
      readonly negated: boolean;
    }
  | {
      readonly is: 'nat';
      readonly direction: 'dnat' | 'snat';
      readonly family: Family;
      readonly address?: RegisterRange;
      readonly port?: RegisterRange;
      readonly flags: number;
    }
  | { readonly is: 'masq'; readonly port?: RegisterRange; readonly flags: number }
  | { readonly is: 'redir'; readonly port?: RegisterRange; readonly flags: number }
  | {
      readonly is: 'tproxy';
      readonly family: 'ip' | 'ip6';
      readonly address?: Register;
      readonly port?: Register;
    }
  | { readonly is: 'reject'; readonly type: number; readonly code: number }
  | { readonly is: 'counter'; readonly packets: number; readonly bytes: number }
  | { readonly is: 'objref'; readonly type: number; readonly name: string }
  | {
      readonly is: 'limit';
      readonly rate: number;
      readonly unitSeconds: number;
      readonly burst: number;
      readonly type: number;
      readonly flags: number;
    }
  | { readonly is: 'log'; readonly prefix?: string; readonly level?: number; readonly group?: number }
  | {
      readonly is: 'dynset';
      readonly set: string;
      readonly operation: number;
      readonly from: Register;
      readonly timeoutMs?: number;
    }
  | { readonly is: 'notrack' }
  /** One that we cannot read: its name and its attributes as they came. */
  | { readonly is: 'opaque'; readonly name: string; readonly bytes: string };

/** One register, or the first and the last of a range of values. */
export interface RegisterRange {
  readonly low: Register;
  readonly high?: Register;
}
