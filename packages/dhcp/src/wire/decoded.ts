/** Why bytes were refused. A short list, so that it can be a label of a metric. */
export type DecodeFault =
  | 'bad-checksum'
  | 'fragment'
  | 'malformed'
  | 'other-protocol'
  | 'truncated'
  | 'unknown-type';

/** What a codec makes of bytes from outside: a value, or the reason why there is none. It never throws. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: DecodeFault };

export const decoded = <T>(value: T): Decoded<T> => ({ ok: true, value });

export const refused = (fault: DecodeFault): { readonly ok: false; readonly fault: DecodeFault } => ({
  ok: false,
  fault,
});
