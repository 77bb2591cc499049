/** What a check comes to, as plain values. */
import type { Family } from '../families.ts';
import type { CheckCode } from './table.ts';

/** What would put a finding right. Data: described on a dry run, carried out by `fix.ts`. */
export type Step =
  | { readonly do: 'set default route'; readonly family: Family; readonly gateway: string }
  | { readonly do: 'write tables' }
  | { readonly do: 'write sysctl'; readonly name: string; readonly value: string }
  /** `id`: of the container that is set aside. `name`: that it had, and is to have. */
  | { readonly do: 'end repair'; readonly id: string; readonly name: string }
  | {
      readonly do: 're-create container';
      readonly id: string;
      readonly name: string;
      readonly networkMode: string;
      readonly owner: string;
      /** What somebody stopped on purpose stays stopped. */
      readonly starts: boolean;
    }
  | { readonly do: 'restart container'; readonly id: string; readonly name: string }
  | {
      readonly do: 're-attach container';
      readonly id: string;
      readonly name: string;
      readonly network: string;
      readonly networkId: string;
    };

export interface Finding {
  /** What it is about; with the code it tells findings apart. Empty when there is only one such thing. */
  readonly subject: string;
  readonly detail: string;
  /** Better than the table's, where more is known. */
  readonly remedy?: string | undefined;
  readonly step?: Step | undefined;
}

export type Outcome =
  | { readonly kind: 'fine'; readonly note: string }
  | { readonly kind: 'problems'; readonly findings: readonly Finding[] }
  /** It could not be found out. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** It does not apply here. */
  | { readonly kind: 'skipped'; readonly why: string };

export interface Report {
  readonly code: CheckCode;
  readonly outcome: Outcome;
}

export const fine = (note = ''): Outcome => ({ kind: 'fine', note });
export const unknown = (why: string): Outcome => ({ kind: 'unknown', why });
export const skipped = (why: string): Outcome => ({ kind: 'skipped', why });

/** Fine without findings. */
export const found = (findings: readonly Finding[], note = ''): Outcome =>
  findings.length === 0 ? fine(note) : { kind: 'problems', findings };

/** 1: problems. 3: none, but something could not be found out. 0: all is fine. */
export function exitCodeOf(reports: readonly Report[]): number {
  const kinds = new Set(reports.map(({ outcome }) => outcome.kind));
  if (kinds.has('problems')) return 1;
  return kinds.has('unknown') ? 3 : 0;
}
