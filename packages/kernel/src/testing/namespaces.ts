/** Grounds for kernel tests: fresh namespaces, and Debian's own programs inside them as independent witnesses. */
import { spawnSync } from 'node:child_process';
import { Netns } from '../netns/index.ts';

/** Runs a program inside a namespace and answers what it printed; throws if it fails. */
export function inside(namespace: Netns, program: string, ...argv: readonly string[]): string {
  const { status, stdout, stderr, error } = namespace.run(() =>
    spawnSync(program, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${[program, ...argv].join(' ')} ended with ${status}: ${stderr.trim()}`);
  return stdout;
}

/** `ip ARGS` inside, words split at blanks. */
export const ip = (namespace: Netns, args: string): string => inside(namespace, 'ip', ...args.split(' '));

/** What a program says as JSON. */
export type Told = readonly Readonly<Record<string, unknown>>[];

/** `ip -j ARGS` inside, parsed. */
export function ipJson(namespace: Netns, args: string): Told {
  const text = ip(namespace, `-j ${args}`).trim();
  return text === '' ? [] : (JSON.parse(text) as Told);
}

/** A namespace with `lo` up. Dispose of it: with `using`, or in afterEach. */
export function freshNamespace(name: string): Netns {
  const namespace = Netns.create(name);
  ip(namespace, 'link set lo up');
  return namespace;
}

/** Waits for a condition, event loop running; says what was missing if it does not come about. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false,
  deadlineMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`after ${deadlineMs} ms still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
