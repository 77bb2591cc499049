import type { RequestPattern } from './pattern.ts';

/** What goes wrong with one exchange. */
export type Fault =
  /** The request waits before it goes on. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The answer waits. */
  | { readonly kind: 'delay-answer'; readonly ms: number }
  /** The request waits until the rule is released. */
  | { readonly kind: 'hold' }
  /** The engine does it; the answer waits until the rule is released. */
  | { readonly kind: 'hold-answer' }
  /** The engine never hears of it. */
  | { readonly kind: 'fail'; readonly status: number; readonly message?: string }
  /** The engine does it, and the client hears of a failure. */
  | { readonly kind: 'fail-after'; readonly status: number; readonly message?: string }
  /** The engine never hears of it, and the connection ends. */
  | { readonly kind: 'drop' }
  /** The engine does it, and the connection ends without an answer. */
  | { readonly kind: 'drop-answer' }
  /** The connection ends after so many bytes of the answer's body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The body ends in good form after so many bytes: the HTTP is right and the content is not. */
  | { readonly kind: 'shorten'; readonly afterBytes: number }
  /** Nothing more comes after so many bytes, and the connection stays. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Each event comes twice. */
  | { readonly kind: 'duplicate-events' }
  /** Each two events in a row change places. */
  | { readonly kind: 'swap-events' }
  /** Every so-manieth event never comes. */
  | { readonly kind: 'lose-events'; readonly every: number }
  /** Each event comes later. */
  | { readonly kind: 'delay-events'; readonly ms: number };

export interface FaultRule {
  readonly on: RequestPattern;
  readonly fault: Fault;
  /** Leaves the first so many matching requests alone. Default: none. */
  readonly skip?: number;
  /** Strikes so often and then no more. Default: always. */
  readonly times?: number;
  /** Strikes only once this other rule has. */
  readonly after?: { readonly hits: number };
}
