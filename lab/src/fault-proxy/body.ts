import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from './fault.ts';
import { faultyEvents } from './lines.ts';

/** What belongs to one connection and not to the message. */
const perConnection = ['connection', 'keep-alive', 'transfer-encoding'];

function messageHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !perConnection.includes(name)));
}

/** Passes the answer on, with the fault in its body. */
export async function sendBody(
  answer: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
  ended: AbortSignal,
): Promise<void> {
  const headers = messageHeaders(answer.headers);
  if (fault !== undefined && fault.kind === 'shorten') delete headers['content-length'];
  response.writeHead(answer.statusCode ?? 502, headers);
  // A stream of events may be silent for long, and its head has to come at once.
  response.flushHeaders();
  const limit = fault !== undefined && 'afterBytes' in fault ? fault.afterBytes : Number.POSITIVE_INFINITY;
  const chunks = fault === undefined ? answer : (faultyEvents(fault, answer, ended) ?? answer);
  let sent = 0;
  if (sent < limit) {
    for await (const chunk of chunks) {
      const piece = (chunk as Buffer).subarray(0, limit - sent);
      sent += piece.length;
      if (!response.write(piece)) await once(response, 'drain', { signal: ended });
      if (sent >= limit) break;
    }
  }
  if (sent < limit || fault?.kind === 'shorten') response.end();
  else await strike(fault, response, ended);
}

/** The body has come as far as the fault lets it. */
async function strike(fault: Fault | undefined, response: ServerResponse, ended: AbortSignal): Promise<void> {
  if (fault?.kind === 'stall' && !ended.aborted) await once(ended, 'abort');
  // After what was written has left, not before.
  else await new Promise<void>((resolve) => void response.socket?.write('', () => resolve()));
  response.destroy();
}
