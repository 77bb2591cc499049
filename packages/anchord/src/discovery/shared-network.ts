/**
 * Which of our own networks carries the backends' addresses. Once a backend was seen on one, the choice stays for the
 * life of the process: an address that jumps between networks would break every connection. Networks may come and go meanwhile.
 */
import { isDeepStrictEqual } from 'node:util';
import { anchordErrors } from '../errors.ts';

type SharedNetwork =
  | { readonly kind: 'pinned'; readonly network: string }
  /** A backend was seen there. */
  | { readonly kind: 'settled'; readonly network: string }
  /** The best guess as long as no backend is seen anywhere. */
  | { readonly kind: 'provisional'; readonly network: string }
  /** We stand on no network but the external one. */
  | { readonly kind: 'none' };

export interface SharedNetworkPicker {
  readonly candidates: readonly string[];
  readonly choice: SharedNetwork;
}

export interface PickerOptions {
  readonly ownNetworks: readonly string[];
  readonly externalNetwork: string | undefined;
  readonly pin: string | undefined;
}

/** The state before anything was observed. Throws `SHARED_NETWORK_NOT_OURS`. */
export function sharedNetworkPicker({
  ownNetworks,
  externalNetwork,
  pin,
}: PickerOptions): SharedNetworkPicker {
  const candidates = candidatesOf({ ownNetworks, externalNetwork });
  if (pin !== undefined) {
    if (!ownNetworks.includes(pin)) {
      const have = [...ownNetworks].sort(alphabetically).join(', ');
      throw anchordErrors.error(
        'SHARED_NETWORK_NOT_OURS',
        `ANCHORD_SHARED_NETWORK=${JSON.stringify(pin)} not present on self (have ${have})`,
      );
    }
    return { candidates, choice: { kind: 'pinned', network: pin } };
  }
  return { candidates, choice: firstGuess(candidates) };
}

/** We stand on other networks now. What was chosen for good stays so, also while we are not on it. */
export function standingOn(
  picker: SharedNetworkPicker,
  standing: Omit<PickerOptions, 'pin'>,
): SharedNetworkPicker {
  const candidates = candidatesOf(standing);
  if (isDeepStrictEqual(candidates, picker.candidates)) return picker;
  const choice = settledNetwork(picker) === undefined ? firstGuess(candidates) : picker.choice;
  return { candidates, choice };
}

const candidatesOf = ({ ownNetworks, externalNetwork }: Omit<PickerOptions, 'pin'>): readonly string[] =>
  ownNetworks.filter((name) => name !== externalNetwork).sort(alphabetically);

function firstGuess(candidates: readonly string[]): SharedNetwork {
  const [network] = preferred(candidates);
  return network === undefined ? { kind: 'none' } : { kind: 'provisional', network };
}

/** `sightings` says on which networks each observed backend stands (its wrap target's, where it has none itself). */
export function pickSharedNetwork(
  picker: SharedNetworkPicker,
  sightings: Iterable<readonly string[]>,
): SharedNetworkPicker {
  if (picker.choice.kind !== 'provisional') return picker;
  const counts = new Map(picker.candidates.map((name) => [name, 0]));
  for (const networks of sightings) {
    for (const name of new Set(networks)) {
      const count = counts.get(name);
      if (count !== undefined) counts.set(name, count + 1);
    }
  }
  const most = Math.max(...counts.values());
  if (most === 0) return picker;
  const [network] = preferred(picker.candidates.filter((name) => counts.get(name) === most));
  return network === undefined ? picker : { ...picker, choice: { kind: 'settled', network } };
}

export const chosenNetwork = ({ choice }: SharedNetworkPicker): string | undefined =>
  choice.kind === 'none' ? undefined : choice.network;

/** As soon as it is certain that it stays. */
export const settledNetwork = ({ choice }: SharedNetworkPicker): string | undefined =>
  choice.kind === 'pinned' || choice.kind === 'settled' ? choice.network : undefined;

/** A name with "transit" in it first, then by alphabet. */
function preferred(names: readonly string[]): readonly string[] {
  const isTransit = (name: string): boolean => name.toLowerCase().includes('transit');
  return [...names].sort((a, b) => Number(isTransit(b)) - Number(isTransit(a)) || alphabetically(a, b));
}

const alphabetically = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
