/** Does something for every service of a stack, as much at the same time as dependencies allow. */
import type { DependencyCondition, StackManifest } from '../manifest/index.ts';

type Services = StackManifest['services'];

/** What a service waits for before its turn, by name. */
type Edges = ReadonlyMap<string, ReadonlyMap<string, DependencyCondition>>;

const dependencies = (services: Services): Edges =>
  new Map(Array.from(services, ([name, { dependsOn }]) => [name, dependsOn]));

/** The other way round: who depends on a service goes before it. */
function dependents(services: Services): Edges {
  const edges = new Map<string, Map<string, DependencyCondition>>(
    Array.from(services.keys(), (name) => [name, new Map()]),
  );
  for (const [name, { dependsOn }] of services)
    for (const [target, condition] of dependsOn) edges.get(target)?.set(name, condition);
  return edges;
}

export interface Turn {
  readonly service: string;
  /** What it waited for: to be checked before it goes. */
  readonly after: ReadonlyMap<string, DependencyCondition>;
  /** Aborts when another service has failed: what has not begun need not begin. */
  readonly signal: AbortSignal;
}

/** After the services that each depends on. When one fails, the rest is told and waited for, and its error is thrown. */
export const inStartOrder = (
  services: Services,
  signal: AbortSignal,
  act: (turn: Turn) => Promise<void>,
): Promise<void> => inOrder(dependencies(services), signal, act);

/** Before the services that each depends on. */
export const inStopOrder = (
  services: Services,
  signal: AbortSignal,
  act: (turn: Turn) => Promise<void>,
): Promise<void> => inOrder(dependents(services), signal, act);

async function inOrder(edges: Edges, outer: AbortSignal, act: (turn: Turn) => Promise<void>): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([outer, failed.signal]);
  const turns = new Map<string, Promise<void>>();
  let first: { readonly error: unknown } | undefined;
  const turnOf = (service: string): Promise<void> => {
    const known = turns.get(service);
    if (known !== undefined) return known;
    const turn = take(service);
    turns.set(service, turn);
    return turn;
  };
  const take = async (service: string): Promise<void> => {
    const after = edges.get(service) ?? new Map();
    try {
      await Promise.all(Array.from(after.keys(), turnOf));
      signal.throwIfAborted();
      await act({ service, after, signal });
    } catch (error) {
      first ??= { error };
      failed.abort(error);
      throw error;
    }
  };
  await Promise.allSettled(Array.from(edges.keys(), turnOf));
  if (first !== undefined) throw first.error;
}

/** All at the same time; waits for all of them, and then throws the first error if there was one. */
export async function together<T>(
  things: readonly T[],
  outer: AbortSignal,
  act: (thing: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([outer, failed.signal]);
  let first: { readonly error: unknown } | undefined;
  await Promise.allSettled(
    things.map(async (thing) => {
      try {
        await act(thing, signal);
      } catch (error) {
        first ??= { error };
        failed.abort(error);
      }
    }),
  );
  if (first !== undefined) throw first.error;
}
