/** One pull for each image however many ask for it, and not too many at a time. */
import type { Images } from '@berth/engine';
import { type Clock, withDeadline } from '@berth/service';
import { Slots } from '../slots.ts';

export interface PullsOptions {
  readonly images: Pick<Images, 'pull'>;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly parallel: number;
  /** How long a pull took that succeeded. */
  readonly observe: (seconds: number) => void;
}

interface RunningPull {
  readonly done: Promise<void>;
  readonly stop: AbortController;
  waiting: number;
}

export class ImagePulls {
  readonly #options: PullsOptions;
  readonly #slots: Slots;
  readonly #running = new Map<string, RunningPull>();

  constructor(options: PullsOptions) {
    this.#options = options;
    this.#slots = new Slots(options.parallel);
  }

  /**
   * Brings the image up to date. Who asks while it is being pulled gets the result of that pull; it is called off when nobody
   * waits for it any more.
   */
  async pull(image: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const pull = this.#running.get(image) ?? this.#start(image);
    pull.waiting++;
    try {
      await untilDoneOrAborted(pull.done, signal);
    } finally {
      pull.waiting--;
      if (pull.waiting === 0 && this.#running.get(image) === pull) {
        this.#running.delete(image);
        pull.stop.abort(new Error('nobody waits for the pull any more'));
      }
    }
  }

  #start(image: string): RunningPull {
    const stop = new AbortController();
    const pull: RunningPull = { done: this.#pull(image, stop.signal), stop, waiting: 0 };
    this.#running.set(image, pull);
    // Whoever waits hears of a failure; when nobody does any more, there is nobody to tell.
    pull.done.catch(() => undefined);
    return pull;
  }

  async #pull(image: string, signal: AbortSignal): Promise<void> {
    const { images, clock, timeoutMs, observe } = this.#options;
    await this.#slots.run(async () => {
      const began = clock.monotonic();
      await withDeadline({ clock, ms: timeoutMs, what: `the pull of ${image}`, signal }, (deadline) =>
        images.pull(image, { signal: deadline }),
      );
      observe((clock.monotonic() - began) / 1000);
    }, signal);
  }
}

function untilDoneOrAborted(done: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    done.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
