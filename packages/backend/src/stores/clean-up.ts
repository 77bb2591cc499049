/** Old entries leave the stores, at an interval that no age changes: one store that cannot be cleaned up keeps no other from it. */
import { type Clock, every, type Scope } from '@berth/service';

const hourMs = 3_600_000;

type Component = 'callback' | 'diagnostics' | 'releases';

export interface CleanUpOptions {
  readonly clock: Clock;
  /** Ages of 0: nothing is too old. */
  readonly config: { readonly diagnosticsMaxAgeMs: number; readonly releasesMaxAgeMs: number };
  readonly callbacks: { expire(): void };
  readonly diagnostics: { deleteOlderThan(ms: number): number };
  readonly releases: { prune(olderThanMs: number): number };
  readonly onFailed: (component: Component, error: unknown) => void;
}

/** At once, and then every hour. */
export function keepCleaningUp(scope: Scope, options: CleanUpOptions): void {
  every(scope, {
    name: 'clean-up of the stores',
    clock: options.clock,
    everyMs: hourMs,
    atOnce: true,
    run: async () => cleanUp(options),
    onError: () => undefined,
  });
}

function cleanUp({ clock, config, callbacks, diagnostics, releases, onFailed }: CleanUpOptions): void {
  const { diagnosticsMaxAgeMs, releasesMaxAgeMs } = config;
  const each = (component: Component, act: () => void): void => {
    try {
      act();
    } catch (error) {
      onFailed(component, error);
    }
  };
  each('callback', () => callbacks.expire());
  if (diagnosticsMaxAgeMs > 0)
    each('diagnostics', () => void diagnostics.deleteOlderThan(clock.now() - diagnosticsMaxAgeMs));
  if (releasesMaxAgeMs > 0) each('releases', () => void releases.prune(clock.now() - releasesMaxAgeMs));
}
