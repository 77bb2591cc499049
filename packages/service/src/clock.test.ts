import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sleep, systemClock } from './clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DAY_MS = 86_400_000;

describe('the clock of the system', () => {
  it('waits longer than one timer of the platform can, and not a millisecond less', () => {
    let fired = 0;
    systemClock.after(60 * DAY_MS, () => {
      fired += 1;
    });
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('calls off a wait in any of its legs', () => {
    let fired = 0;
    const wait = systemClock.after(60 * DAY_MS, () => {
      fired += 1;
    });
    vi.advanceTimersByTime(30 * DAY_MS);
    wait.cancel();
    wait.cancel();
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(fired).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fires as soon as it can for a time that has passed', () => {
    let fired = 0;
    systemClock.after(-5, () => {
      fired += 1;
    });
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
  });
});

describe('sleep', () => {
  it('does not begin under a signal that has aborted', async () => {
    await expect(sleep(systemClock, 10, AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets go of the signal when it wakes up by itself', async () => {
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    const asleep = sleep(systemClock, 10, controller.signal);
    await vi.advanceTimersByTimeAsync(10);
    await asleep;
    expect(removed).toHaveBeenCalledTimes(1);
  });
});
