/** Chance, injected: a number from 0 up to (not including) 1. */
export type Random = () => number;

/** Good enough for jitter; never for secrets. */
export const systemRandom: Random = () => Math.random();

/** Fresh names for things, injected, so that a simulation can be run again with the same ones. */
export interface Ids {
  /** A UUID (version 4). */
  uuid(): string;
  /** `bytes` bytes that nobody can guess, as hex digits. */
  token(bytes: number): string;
}

export const systemIds: Ids = {
  uuid: () => crypto.randomUUID(),
  token: (bytes) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex'),
};

/** For simulations and tests: the same seed gives the same numbers. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    // A Weyl sequence, and a mixer of xor-shifts and odd multipliers behind it.
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** For simulations and tests: well-formed, reproducible, guessable. */
export function seededIds(seed: number): Ids {
  const random = seededRandom(seed);
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  return {
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[Math.floor(random() * 4)]}${hex(3)}-${hex(12)}`,
    token: (bytes) => hex(bytes * 2),
  };
}
