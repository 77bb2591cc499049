/** The fault proxy by hand: node lab/src/fault-proxy/main.ts --upstream unix:///run/docker.sock --listen unix:///tmp/faulty.sock */
import { lstatSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { allowOnly } from './permissions.ts';
import { type Address, FaultProxy } from './proxy.ts';
import { faultNames, parseRule } from './script.ts';

const usage = `usage: fault-proxy --upstream ADDRESS --listen ADDRESS [--fault RULE]... [--allow PATTERN]...

  ADDRESS  unix:///path/to.sock or tcp://host:port
  RULE     PATTERN => FAULT [skip N] [times N], as in "POST /containers/create => fail-after 500 times 1"
  PATTERN  a method or *, and a path without its version; * is one part of it, ** any number of parts
  FAULT    ${faultNames.join(', ')}

What is held is let go by SIGUSR1.`;

function addressOf(text: string): Address {
  if (text.startsWith('unix:///')) return { socketPath: text.slice('unix://'.length) };
  const match = /^tcp:\/\/([^/]+):(\d+)$/.exec(text);
  if (match === null) throw new Error(`"${text}" is neither unix:///path nor tcp://host:port`);
  return { host: match[1] ?? '', port: Number(match[2]) };
}

/** What a proxy that was killed has left; anything else stays, and makes listening fail. */
function removeSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) rmSync(path);
}

const written = (address: Address): string =>
  'socketPath' in address ? `unix://${address.socketPath}` : `tcp://${address.host}:${address.port}`;

async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      upstream: { type: 'string' },
      listen: { type: 'string' },
      fault: { type: 'string', multiple: true, default: [] },
      allow: { type: 'string', multiple: true },
    },
  });
  if (values.upstream === undefined || values.listen === undefined) throw new Error(usage);
  const rules = values.fault.map(parseRule);
  const listening = addressOf(values.listen);
  if ('socketPath' in listening) removeSocket(listening.socketPath);
  const proxy = await FaultProxy.start(addressOf(values.upstream), listening);
  const active = rules.map((rule) => proxy.add(rule));
  if (values.allow !== undefined) proxy.permit(allowOnly(values.allow));
  process.stdout.write(`listening at ${written(proxy.address)}, ${rules.length} faults\n`);
  process.on('SIGUSR1', () => {
    for (const rule of active) rule.release();
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void proxy[Symbol.asyncDispose]().then(() => process.exit(0)));
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
