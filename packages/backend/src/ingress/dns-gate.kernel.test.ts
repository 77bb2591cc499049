/** The gate against real name servers: dnsmasq on loopback, one that knows the names and one that knows nothing. */
import { NameServer } from '@berth/lab';
import { systemClock } from '@berth/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domainResolves } from './dns-gate.ts';

describe('the DNS gate', () => {
  const servers: NameServer[] = [];
  let knowing = '';
  let other = '';
  let empty = '';
  const dead = '127.0.0.1:9';
  beforeAll(async () => {
    const records = [
      '--host-record=v4.example,192.0.2.1',
      '--host-record=v6.example,2001:db8::1',
      '--cname=alias.example,v4.example',
      '--txt-record=text.example,hello',
    ];
    const open = async (...known: readonly string[]): Promise<string> => {
      const server = await NameServer.open(...known);
      servers.push(server);
      return server.address;
    };
    knowing = await open(...records);
    other = await open(...records);
    empty = await open();
  });
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
  const ready = (domain: string, resolvers: string[], quorum = 0) =>
    domainResolves(domain, { resolvers, quorum }, systemClock, new AbortController().signal);

  it('opens for a name with an IPv4 or an IPv6 address, also through an alias', async () => {
    for (const domain of ['v4.example', 'v6.example', 'alias.example'])
      expect(await ready(domain, [knowing, other]), domain).toBe(true);
  });

  it('stays closed for a name that is not there, or has no address', async () => {
    for (const domain of ['nothing.example', 'text.example'])
      expect(await ready(domain, [knowing]), domain).toBe(false);
  });

  it('goes by the quorum, a dead resolver counting as a no', async () => {
    expect(await ready('v4.example', [knowing, other, empty])).toBe(true);
    expect(await ready('v4.example', [knowing, empty, dead])).toBe(false);
    expect(await ready('v4.example', [knowing, empty, dead], 1)).toBe(true);
    expect(await ready('v4.example', [knowing, other, dead], 3)).toBe(false);
  });
});
