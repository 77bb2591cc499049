import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from './fault.ts';

/** The complete lines of a stream, with their newlines. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.subarray(0, end + 1);
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) yield rest;
}

/** A stream of events, one a line, with the fault in it; undefined where the fault is none of events. */
export function faultyEvents(
  fault: Fault,
  chunks: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> | undefined {
  switch (fault.kind) {
    case 'duplicate-events':
      return duplicated(linesOf(chunks));
    case 'swap-events':
      return swapped(linesOf(chunks));
    case 'lose-events':
      return thinned(linesOf(chunks), fault.every);
    case 'delay-events':
      return late(linesOf(chunks), fault.ms, signal);
    default:
      return undefined;
  }
}

async function* duplicated(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const line of lines) {
    yield line;
    yield line;
  }
}

async function* swapped(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer | undefined;
  for await (const line of lines) {
    if (held === undefined) {
      held = line;
      continue;
    }
    yield line;
    yield held;
    held = undefined;
  }
  if (held !== undefined) yield held;
}

async function* thinned(lines: AsyncIterable<Buffer>, every: number): AsyncGenerator<Buffer> {
  let count = 0;
  for await (const line of lines) {
    count += 1;
    if (count % every !== 0) yield line;
  }
}

/** One after another: order is kept, and a burst becomes a trickle. */
async function* late(lines: AsyncIterable<Buffer>, ms: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const line of lines) {
    await pause(ms, undefined, { signal });
    yield line;
  }
}
