/**
 * The signature that requests and callbacks carry, written down a second time and from the contract alone: what the backend
 * signs and verifies is held against this, and not against itself.
 */
import { createHash, createHmac } from 'node:crypto';

export const header = 'X-Fred-Signature';

const oldestS = 300;
const newestS = 60;

function hmacOf(secret: string, seconds: string, method: string, target: string, body: Buffer): string {
  const fields = [seconds, method, target, createHash('sha256').update(body).digest('hex')];
  return createHmac('sha256', secret).update(fields.join('\n')).digest('hex');
}

export function signatureOf(
  secret: string,
  method: string,
  target: string,
  body: Buffer,
  nowMs = Date.now(),
): string {
  const seconds = String(Math.floor(nowMs / 1000));
  return `t=${seconds},sha256=${hmacOf(secret, seconds, method, target, body)}`;
}

/** What is wrong with a signature; undefined when it is good. */
export function signatureProblem(
  value: string | undefined,
  secret: string,
  method: string,
  target: string,
  body: Buffer,
  nowMs = Date.now(),
): string | undefined {
  if (value === undefined) return 'there is none';
  const [, seconds = '', hex = ''] = /^t=(\d+),sha256=([0-9a-f]{64})$/.exec(value) ?? [];
  if (hex === '') return `"${value}" has another form`;
  const age = nowMs / 1000 - Number(seconds);
  if (age > oldestS || age < -newestS) return `it is ${age.toFixed(1)} s old`;
  return hmacOf(secret, seconds, method, target, body) === hex ? undefined : 'it does not match';
}
