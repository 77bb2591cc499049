/** The signature that both directions carry: requests of the daemon, and our callbacks. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';

export const signatureHeader = 'x-fred-signature';

/** How old a signature may be, and how far our clocks may differ the other way. */
const oldestMs = 5 * 60_000;
const newestMs = 60_000;

/** What is signed: method and target as they go over the wire, and the bytes of the body. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, percent-encoding untouched. */
  readonly target: string;
  readonly body: Uint8Array;
}

function digest(secret: string, timestamp: string, { method, target, body }: SignedRequest): Buffer {
  const bodyHash = hash('sha256', body, 'hex');
  return createHmac('sha256', secret).update(`${timestamp}\n${method}\n${target}\n${bodyHash}`).digest();
}

/** The header's value for a request that is sent now. */
export function sign(secret: string, request: SignedRequest, nowMs: number): string {
  const timestamp = String(Math.floor(nowMs / 1000));
  return `t=${timestamp},sha256=${digest(secret, timestamp, request).toString('hex')}`;
}

/** Is `value` a signature of this request, made with our secret, and of now? */
export function verify(secret: string, value: string, request: SignedRequest, nowMs: number): boolean {
  const parts = /^ *t=([+-]?\d+) *, *sha256=([0-9A-Fa-f]{64}) *$/.exec(value);
  const [, timestamp, hex] = parts ?? [];
  if (timestamp === undefined || hex === undefined) return false;
  const ageMs = nowMs - Number(timestamp) * 1000;
  if (!(ageMs <= oldestMs && ageMs >= -newestMs)) return false;
  return timingSafeEqual(digest(secret, timestamp, request), Buffer.from(hex, 'hex'));
}
