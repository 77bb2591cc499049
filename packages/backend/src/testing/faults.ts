/** Things that go wrong at a step that is counted: the process dies, the power fails, the disk is full, a device errs. */

export type FaultMode = 'kill' | 'power' | 'enospc' | 'eio';

/** The process is gone: nothing of it may do anything any more. */
class Killed extends Error {
  constructor() {
    super('killed');
  }
}

const errno = (mode: 'enospc' | 'eio'): Error => {
  const code = mode === 'enospc' ? 'ENOSPC' : 'EIO';
  return Object.assign(new Error(`${code}: made to fail`), { code });
};

/** Of a step that has an effect, before it and after it. */
export type Moment = 'before' | 'done';

export class Faults {
  /** Every step since the last reset, in order. */
  readonly steps: string[] = [];
  /** Looks at everything at every step of a living process. */
  observer: (step: string) => void = () => undefined;
  #dead = false;
  #armed: { readonly at: number; readonly mode: FaultMode } | undefined;
  #fired: FaultMode | undefined;

  get dead(): boolean {
    return this.#dead;
  }

  /** What has happened since it was armed; undefined: nothing. */
  get fired(): FaultMode | undefined {
    return this.#fired;
  }

  /** Lets the step with this number (counted from now, from 0) go wrong. */
  arm(at: number, mode: FaultMode): void {
    this.reset();
    this.#armed = { at, mode };
  }

  /** Nothing goes wrong any more; what went wrong is remembered. */
  disarm(): void {
    this.#armed = undefined;
  }

  kill(): void {
    this.#dead = true;
  }

  /** A new process, and nothing goes wrong. */
  reset(): void {
    this.steps.length = 0;
    this.#dead = false;
    this.#armed = undefined;
    this.#fired = undefined;
  }

  /** Says that a step is reached; throws when it goes wrong here. A full disk shows before an effect, never after it. */
  reach(step: string, moment: Moment): void {
    if (this.#dead) throw new Killed();
    const number = this.steps.push(`${step} ${moment}`) - 1;
    this.observer(`${step} ${moment}`);
    if (this.#armed?.at !== number) return;
    const { mode } = this.#armed;
    if (mode === 'kill' || mode === 'power') {
      this.#fired = mode;
      this.#dead = true;
      throw new Killed();
    }
    if (moment === 'done') return;
    this.#fired = mode;
    throw errno(mode);
  }

  /** As `reach`, for what waits anyway: whoever is dead never comes back from it. */
  async pass(step: string, moment: Moment): Promise<void> {
    try {
      this.reach(step, moment);
    } catch (error) {
      if (error instanceof Killed) await new Promise(() => undefined);
      throw error;
    }
  }
}
