import type { Fault, FaultRule } from './fault.ts';
import { matcherOf } from './pattern.ts';

/** One rule at work. */
export class ActiveRule {
  readonly #rule: FaultRule;
  readonly #matches: (method: string, path: string) => boolean;
  readonly #waiting = new Set<() => void>();
  #seen = 0;
  #released = false;
  /** How often it struck. */
  hits = 0;

  constructor(rule: FaultRule) {
    this.#rule = rule;
    this.#matches = matcherOf(rule.on);
  }

  /** The fault, if this request is one that the rule strikes. */
  strike(method: string, path: string): Fault | undefined {
    if (!this.#matches(method, path) || this.#rule.after?.hits === 0) return undefined;
    this.#seen += 1;
    const { skip = 0, times = Number.POSITIVE_INFINITY, fault } = this.#rule;
    if (this.#seen <= skip || this.hits >= times) return undefined;
    this.hits += 1;
    return fault;
  }

  /** How many exchanges it holds. */
  get holding(): number {
    return this.#waiting.size;
  }

  /** Lets go what it holds, and holds nothing from now on. */
  release(): void {
    this.#released = true;
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  released(signal: AbortSignal): Promise<void> {
    if (this.#released || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const go = (): void => {
        signal.removeEventListener('abort', go);
        this.#waiting.delete(go);
        resolve();
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', go, { once: true });
    });
  }
}
