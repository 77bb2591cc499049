import { readdirSync } from 'node:fs';

/** What the process holds of the operating system and of the event loop. */
interface Held {
  readonly descriptors: number;
  readonly active: Readonly<Record<string, number>>;
}

export function held(): Held {
  const active: Record<string, number> = {};
  for (const resource of process.getActiveResourcesInfo()) active[resource] = (active[resource] ?? 0) + 1;
  return { descriptors: readdirSync('/proc/self/fd').length, active };
}

/** The runner of the tests has descriptors and timers, too, that come and go: ask until it is so. */
export const isNoMore = (now: Held, before: Held): boolean =>
  now.descriptors <= before.descriptors && (now.active['Timeout'] ?? 0) <= (before.active['Timeout'] ?? 0);

/** Waits until `holds` is true; says what was missing when it is not so in time. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
