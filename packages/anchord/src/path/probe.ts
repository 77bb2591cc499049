/** Asks a host for any sign of life at a TCP port, from one of our addresses. */
import { connect } from 'node:net';
import type { IpAddress } from '@berth/kernel/ip';
import type { ProbeResult } from './judge.ts';

/** `discard`: hardly anybody listens there, so a service is not troubled; a refusal tells as much as a connection. */
const quietPort = 9;

/** Long enough for the kernel to repeat a lost first packet. */
const patienceMs = 1_500;

/** What a host says when it is there and does not want us. */
const refusals = new Set(['ECONNREFUSED', 'ECONNRESET']);

export function probe(
  target: IpAddress,
  from: IpAddress,
  signal: AbortSignal,
  { port = quietPort, timeoutMs = patienceMs } = {},
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host: target, port, localAddress: from, family: target.includes(':') ? 6 : 4 });
    const finish = (result: ProbeResult): void => {
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(result);
    };
    const giveUp = (): void => finish('silent');
    signal.addEventListener('abort', giveUp, { once: true });
    socket.setTimeout(timeoutMs, giveUp);
    socket.once('connect', () => finish('answered'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      finish(refusals.has(error.code ?? '') ? 'answered' : 'silent'),
    );
    if (signal.aborted) giveUp();
  });
}
