import type { Clock } from '../clock.ts';

export type Severity = 'info' | 'warning' | 'error';

/** One thing that can be right or wrong with a program. */
export interface Condition {
  /** What is true when all is well. */
  readonly title: string;
  /** How bad it is when it is not. */
  readonly severity: Severity;
  /** What somebody can do about it. */
  readonly remedy?: string;
  /** What this rests on: when that is wrong, this is a consequence and not a second fault. */
  readonly dependsOn?: readonly string[];
  /**
   * Does readiness wait for it? `latched`: until it was true once; `live`: whenever it is not. Without this it is only
   * reported.
   */
  readonly readiness?: 'latched' | 'live';
}

/** All that can be wrong with a program; its keys are the codes that metrics, pages and alerts use. */
export type ConditionTable = Readonly<Record<string, Condition>>;

export interface Finding {
  readonly code: string;
  readonly condition: Condition;
  /** Undefined as long as nobody has looked. */
  readonly ok: boolean | undefined;
  readonly detail: string | undefined;
  /** Since when (milliseconds since the epoch) it is like this. */
  readonly since: number;
  /** The code of what it rests on and what is wrong itself. */
  readonly because: string | undefined;
}

interface State {
  ok: boolean | undefined;
  latched: boolean;
  detail: string | undefined;
  since: number;
}

/** What is right and wrong with a program right now. Readiness, `doctor`, metrics and pages all read it. */
export class Health<T extends ConditionTable> {
  readonly #table: T;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #states = new Map<string, State>();

  constructor(table: T, clock: Pick<Clock, 'now'>) {
    this.#table = table;
    this.#clock = clock;
    for (const code of Object.keys(table)) {
      this.#states.set(code, { ok: undefined, latched: false, detail: undefined, since: clock.now() });
    }
  }

  right(code: keyof T & string): void {
    this.#set(code, true, undefined);
  }

  wrong(code: keyof T & string, detail: string): void {
    this.#set(code, false, detail);
  }

  /** Everything, in the order of the table. */
  findings(): readonly Finding[] {
    return Array.from(this.#states, ([code, { ok, detail, since }]) => {
      const condition = this.#condition(code);
      return {
        code,
        condition,
        ok,
        detail,
        since,
        because: ok === false ? this.#causeOf(condition) : undefined,
      };
    });
  }

  /** The conditions that readiness waits for, and whether each is met. */
  gates(): readonly (readonly [code: string, met: boolean])[] {
    return Array.from(this.#states, ([code, { ok, latched }]) => {
      const { readiness } = this.#condition(code);
      return [code, readiness, readiness === 'latched' ? latched : ok === true] as const;
    })
      .filter(([, readiness]) => readiness !== undefined)
      .map(([code, , met]) => [code, met]);
  }

  get ready(): boolean {
    return this.gates().every(([, met]) => met);
  }

  #set(code: string, ok: boolean, detail: string | undefined): void {
    const state = this.#states.get(code);
    if (state === undefined) return;
    if (state.ok !== ok) state.since = this.#clock.now();
    state.ok = ok;
    state.detail = detail;
    state.latched ||= ok;
  }

  #condition(code: string): Condition {
    const condition = this.#table[code];
    if (condition === undefined) throw new RangeError(`no condition is called ${code}`);
    return condition;
  }

  #causeOf({ dependsOn = [] }: Condition): string | undefined {
    return dependsOn.find((code) => this.#states.get(code)?.ok === false);
  }
}
