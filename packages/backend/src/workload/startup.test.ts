import type { ContainerDetails, ContainerStatus } from '@berth/engine';
import { VirtualClock } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { failureText } from '../lease/index.ts';
import type { Instance } from '../stack/index.ts';
import { Startup } from './startup.ts';
import { type Happened, StateWatch } from './state-watch.ts';

const id = 'c1';
const verifyMs = 5000;
const signal = new AbortController().signal;

/** One container on an engine of which only this much is played: how it stands, and what is said of it. */
class Stage {
  readonly clock = new VirtualClock();
  status: ContainerStatus = 'running';
  /** When it was looked at. */
  readonly looks: number[] = [];
  readonly startup: Startup;
  readonly #listeners = new Set<Happened>();

  constructor() {
    const inspect = async (): Promise<ContainerDetails> => {
      this.looks.push(this.clock.monotonic());
      // Of all that an engine says, nothing else is read.
      return { state: { status: this.status } } as ContainerDetails;
    };
    const listen = (listener: Happened) => {
      this.#listeners.add(listener);
      return () => void this.#listeners.delete(listener);
    };
    this.startup = new Startup(
      new StateWatch({ containers: { inspect }, events: { listen }, clock: this.clock }),
      verifyMs,
    );
  }

  tell(container: string | undefined, action?: string): void {
    for (const listener of [...this.#listeners]) listener(container, action);
  }

  /** What comes of it, and when. */
  verify(): Promise<readonly [string, number]> {
    const instance = { spec: {} } as Instance;
    return this.startup.verify(instance, id, signal).then(
      () => ['started', this.clock.monotonic()] as const,
      (error: Error) => [error.message, this.clock.monotonic()] as const,
    );
  }
}

describe('a container without a health check', () => {
  it('that runs on is looked at once, when its time has passed', async () => {
    const stage = new Stage();
    stage.startup.begin(id);
    stage.tell(id, 'create');
    stage.tell('another', 'die');
    const verified = stage.verify();
    stage.tell(id, 'start');
    await stage.clock.advance(verifyMs);
    expect(await verified).toEqual(['started', verifyMs]);
    expect(stage.looks).toEqual([verifyMs]);
  });

  it.each([
    ['die', id],
    ['destroy', id],
    ['whatever was missed', undefined],
  ])('is looked at at once when "%s" was heard before anybody waited for it', async (action, container) => {
    const stage = new Stage();
    stage.startup.begin(id);
    stage.status = 'exited';
    stage.tell(container, action);
    expect(await stage.verify()).toEqual([failureText.exitedDuringStartup, 0]);
    expect(stage.looks).toEqual([0]);
  });

  it('is looked at at once when it was not started just now', async () => {
    const stage = new Stage();
    stage.status = 'exited';
    expect(await stage.verify()).toEqual([failureText.exitedDuringStartup, 0]);
  });

  it('that dies meanwhile has failed then', async () => {
    const stage = new Stage();
    stage.startup.begin(id);
    const verified = stage.verify();
    await stage.clock.advance(3000);
    stage.status = 'exited';
    stage.tell(id, 'die');
    expect(await verified).toEqual([failureText.exitedDuringStartup, 3000]);
    expect(stage.looks).toEqual([3000]);
  });

  it('whose death nobody heard of has failed at the end of its time', async () => {
    const stage = new Stage();
    stage.startup.begin(id);
    stage.status = 'exited';
    const verified = stage.verify();
    await stage.clock.advance(verifyMs);
    expect(await verified).toEqual([failureText.exitedDuringStartup, verifyMs]);
  });

  it.each([
    'created',
    'restarting',
    'unknown',
  ] as const)('that is %s at the end of its time has failed', async (status) => {
    const stage = new Stage();
    stage.startup.begin(id);
    stage.status = status;
    const verified = stage.verify();
    await stage.clock.advance(verifyMs);
    expect(await verified).toEqual([failureText.exitedDuringStartup, verifyMs]);
  });

  it('that is paused at the end of its time has started', async () => {
    const stage = new Stage();
    stage.startup.begin(id);
    stage.status = 'paused';
    const verified = stage.verify();
    await stage.clock.advance(verifyMs);
    expect((await verified)[0]).toBe('started');
  });

  it('is looked at again at once when it is verified a second time', async () => {
    const stage = new Stage();
    stage.startup.begin(id);
    const first = stage.verify();
    await stage.clock.advance(verifyMs);
    await first;
    stage.looks.length = 0;
    const again = stage.verify();
    await stage.clock.advance(0);
    expect(stage.looks).toEqual([verifyMs]);
    await stage.clock.advance(verifyMs);
    expect((await again)[0]).toBe('started');
  });
});
