import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { nodeHttp } from '@berth/service';
import { sign, signatureHeader } from '../signature/index.ts';
import type { PendingCallback } from '../stores/index.ts';

/** How much of an answer is read; the rest is drained. */
const longestAnswer = 4096;

export interface SendOptions {
  readonly secret: string;
  /** Whether the certificate of the other side must be good. */
  readonly verifyTls: boolean;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export type SendCallback = typeof sendCallback;

/** The body of a callback. */
function callbackBody(entry: PendingCallback): Buffer {
  const { lease_uuid, status, error, backend, retained } = entry;
  return Buffer.from(JSON.stringify({ lease_uuid, status, error, backend, retained }));
}

/** Posts once, signed for now. Resolves with whatever is answered; redirects are not followed. */
export function sendCallback(
  entry: PendingCallback,
  { secret, verifyTls }: SendOptions,
  nowMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL(entry.callback_url);
  const body = callbackBody(entry);
  const target = `${url.pathname}${url.search}`;
  const options = {
    method: 'POST',
    signal,
    // One socket a callback: they are rare, and an idle one that the other side closes would fail the next.
    agent: false as const,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
      [signatureHeader]: sign(secret, { method: 'POST', target, body }, nowMs),
    },
  };
  return new Promise((resolve, reject) => {
    const onAnswer = (response: IncomingMessage): void => {
      readAnswer(response).then(resolve, reject);
    };
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, rejectUnauthorized: verifyTls }, onAnswer)
        : nodeHttp().request(url, options, onAnswer);
    request.on('error', reject);
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const kept: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    if (length < longestAnswer) kept.push(bytes.subarray(0, longestAnswer - length));
    length += bytes.length;
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(kept).toString('utf8') };
}
