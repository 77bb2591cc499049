/**
 * The default route that was there before us, and what becomes of it at the end. It is kept as a route in a table of its
 * own, to which no rule leads: so it costs nothing, outlives a hard kill of ours, and goes with the namespace.
 */
import type { Route } from '@berth/kernel/network';
import { isOurs, routesInForce } from '../routes/default-route.ts';

/** The table that remembers. Any number would do that nobody else uses. */
export const originalRoutesTable = 24_941;

export type Remembering =
  /** What is in force is not from us: that is the original, whatever an earlier run remembered. */
  | { readonly kind: 'record'; readonly route: Route }
  /** What is in force is from us, so we were killed before we could clean up: what was remembered then still holds. */
  | { readonly kind: 'keep'; readonly route: Route }
  | { readonly kind: 'nothing' };

/** At the start, before anything is installed. `remembered` is what the table holds. */
export function rememberOriginal(observed: readonly Route[], remembered: Route | undefined): Remembering {
  const [inForce] = routesInForce(observed);
  if (inForce !== undefined && !isOurs(inForce)) return { kind: 'record', route: inForce };
  return remembered === undefined ? { kind: 'nothing' } : { kind: 'keep', route: remembered };
}

export interface Restoring {
  /** Our route, when it is there. */
  readonly remove: Route | undefined;
  /** What takes its place. */
  readonly restore: Route | undefined;
}

/** At the end. Where nothing of ours is in place, nothing is touched. */
export function planRestore(observed: readonly Route[], remembered: Route | undefined): Restoring {
  const ours = observed.find(isOurs);
  if (ours === undefined) return { remove: undefined, restore: undefined };
  const leadsTo = (route: Route): boolean =>
    route.gateway === remembered?.gateway && route.link === remembered?.link;
  // One that only stood behind ours (from a router advertisement) comes into force by itself.
  const stillThere = observed.some((route) => !isOurs(route) && leadsTo(route));
  return { remove: ours, restore: leadsTo(ours) || stillThere ? undefined : remembered };
}
