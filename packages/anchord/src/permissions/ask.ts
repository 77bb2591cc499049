/**
 * Asks at the start whether everything is allowed that a feature will need some day: a re-creation is needed in the middle of
 * an outage, which is no time to learn that the socket proxy does not allow it. The answers are heard by `watch.ts`.
 */
import type { Engine } from '@berth/engine';
import type { Clock } from '@berth/service';
import { pause } from '../wakeup.ts';
import { probePermission } from './probe.ts';
import { type Feature, featureRow } from './table.ts';

const againMs = 60_000;

/** Until all of it is allowed. */
export async function askForPermissions(
  engine: Engine,
  wanted: readonly Feature[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const needs = [...new Set(wanted.flatMap((feature) => featureRow(feature).needs))];
  while (!signal.aborted) {
    const answers = await Promise.all(
      needs.map(async (name) => await probePermission(engine, name, { signal, now: clock.now() })),
    );
    if (answers.every((answer) => answer === 'granted')) return;
    await pause(clock, againMs, signal);
  }
}
