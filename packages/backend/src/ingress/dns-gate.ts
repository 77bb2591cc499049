/** Is there a name to get a certificate for? Asked of several resolvers; one that fails says no. */
import { lookup, Resolver } from 'node:dns/promises';
import { type Clock, withDeadline } from '@berth/service';

/** How long the whole question may take. */
const limitMs = 5000;

export interface GateSettings {
  /** `host:port` each. */
  readonly resolvers: readonly string[];
  /** 0: the majority. */
  readonly quorum: number;
}

/** How many must say yes: what is configured, or the majority, but never none and never more than there are. */
export function quorumOf({ resolvers, quorum }: GateSettings): number {
  const wanted = quorum === 0 ? Math.floor(resolvers.length / 2) + 1 : quorum;
  return Math.min(Math.max(wanted, 1), resolvers.length);
}

/** One question to one resolver; an address, following aliases, is a yes. */
type Ask = (domain: string, resolver: string, signal: AbortSignal) => Promise<boolean>;

/** Does the domain exist in the eyes of enough resolvers? The rest is called off as soon as that is decided. */
export async function domainResolves(
  domain: string,
  settings: GateSettings,
  clock: Pick<Clock, 'after'>,
  signal: AbortSignal,
  ask: Ask = askResolver,
): Promise<boolean> {
  const { resolvers } = settings;
  if (resolvers.length === 0) return false;
  const quorum = quorumOf(settings);
  const decided = new AbortController();
  const stop = AbortSignal.any([signal, decided.signal]);
  let yes = 0;
  let no = 0;
  const count = (answer: boolean): void => {
    if (answer) yes++;
    else no++;
    if (yes >= quorum || no > resolvers.length - quorum) decided.abort();
  };
  await Promise.all(
    resolvers.map(async (resolver) => {
      const answer = await withDeadline(
        { clock, ms: limitMs, what: 'the DNS check', signal: stop },
        (deadline) => ask(domain, resolver, deadline),
      ).catch(() => false);
      if (!decided.signal.aborted) count(answer);
    }),
  );
  signal.throwIfAborted();
  return yes >= quorum;
}

async function askResolver(domain: string, resolver: string, signal: AbortSignal): Promise<boolean> {
  const dns = new Resolver({ timeout: limitMs, tries: 1 });
  dns.setServers([await serverAddress(resolver)]);
  const cancel = (): void => dns.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await Promise.any([dns.resolve4(domain), dns.resolve6(domain)].map(atLeastOne));
  } catch {
    return false;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function atLeastOne(addresses: Promise<readonly string[]>): Promise<true> {
  if ((await addresses).length === 0) throw new Error('no address');
  return true;
}

/** The resolver itself may be given by name; it is an address that is asked. */
async function serverAddress(resolver: string): Promise<string> {
  const [, host = '', port = '53'] = /^\[?(.+?)\]?:(\d+)$/.exec(resolver) ?? [];
  const { address, family } = await lookup(host);
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
