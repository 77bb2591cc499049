import { type Clock, sleep } from '@berth/service';
import { type EngineErrorCode, engineErrors } from '../errors.ts';

/** Asking again changes nothing about these. */
const final: readonly EngineErrorCode[] = [
  'ENGINE_BAD_REQUEST',
  'ENGINE_CONFIGURATION',
  'ENGINE_IMAGE_MISSING',
  'ENGINE_NO_SPACE',
  'ENGINE_PERMISSION_DENIED',
  'ENGINE_RECREATE_REFUSED',
  'ENGINE_TLS',
  'ENGINE_UNAUTHORIZED',
];

/** These pass: the engine is being restarted, or still busy with what was asked before. */
const passing: readonly EngineErrorCode[] = [
  'ENGINE_NAME_IN_USE',
  'ENGINE_REMOVAL_IN_PROGRESS',
  'ENGINE_UNAVAILABLE',
  'ENGINE_UNREACHABLE',
];

const USUAL_ATTEMPTS = 3;
const PATIENT_ATTEMPTS = 8;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

/** Counts how often each thing was tried, and says whether once more makes sense. */
export class Attempts {
  readonly #clock: Clock;
  readonly #failures = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** After a failure of `what`: whether to try again, once this has waited for that. */
  async worthwhile(what: string, error: unknown): Promise<boolean> {
    const failures = (this.#failures.get(what) ?? 0) + 1;
    this.#failures.set(what, failures);
    if (!engineErrors.is(error) || final.includes(error.code)) return false;
    if (failures >= (passing.includes(error.code) ? PATIENT_ATTEMPTS : USUAL_ATTEMPTS)) return false;
    await sleep(this.#clock, Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS));
    return true;
  }

  /** Does it until it succeeds or makes no sense any more. */
  async until<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(await this.worthwhile(what, error))) throw error;
      }
    }
  }
}
