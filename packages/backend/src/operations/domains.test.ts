import { VirtualClock } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { item } from '../testing/leases.ts';
import { DomainGate, type DomainGateOptions, domainChanges } from './domains.ts';

const { signal } = new AbortController();
const served = 'www.acme.example';
const other = 'shop.acme.example';

/** With nobody to ask, no name exists. */
const gateOf = (more: Partial<DomainGateOptions> = {}): DomainGate =>
  new DomainGate({
    ingress: true,
    wildcardDomain: 'apps.example.net',
    unchecked: false,
    resolvers: [],
    quorum: 0,
    clock: new VirtualClock(),
    ...more,
  });

const wanted = (customDomain: string, serviceName = 'web') => item({ customDomain, serviceName });

describe('domains to be asked about', () => {
  const items = [item({ customDomain: served }), item({ serviceName: 'db' })];

  it('are those that are new: of what is served, cleared, no domain or nobody’s, none', () => {
    const gate = gateOf();
    const of = (...wishes: ReturnType<typeof wanted>[]) => gate.candidates(items, wishes);
    expect(of(wanted(served), wanted('', 'db'))).toEqual([]);
    expect(of(wanted(''))).toEqual([]);
    expect(of(wanted('not a domain'), wanted('evil.apps.example.net', 'db'))).toEqual([]);
    expect(of(wanted(other, 'another'))).toEqual([]);
    expect(of(wanted(other), wanted(other, 'db')), 'each once').toEqual([other]);
  });

  it('are found for a lone item without a name, which is the service of a flat manifest', () => {
    const gate = gateOf();
    expect(gate.candidates([item({ serviceName: 'app' })], [wanted(other, '')])).toEqual([other]);
    expect(gate.candidates(items, [wanted(other, ''), wanted(other, '')])).toEqual([]);
  });
});

describe('which of them exist', () => {
  it('is asked, unless that is switched off or there is no proxy', async () => {
    expect([...(await gateOf().readyOf([other], signal))]).toEqual([]);
    expect([...(await gateOf({ unchecked: true }).readyOf([other], signal))]).toEqual([other]);
    expect([...(await gateOf({ ingress: false }).readyOf([other], signal))]).toEqual([other]);
  });

  it('decides of a new lease which of its valid domains wait; without a proxy none does', async () => {
    const items = [wanted(other), wanted('not a domain', 'db'), wanted('', 'mail')];
    expect(await gateOf().withoutUnready(items, signal)).toEqual({
      items: [wanted(''), wanted('not a domain', 'db'), wanted('', 'mail')],
      deferred: [wanted(other)],
    });
    for (const gate of [gateOf({ ingress: false }), gateOf({ unchecked: true })])
      expect(await gate.withoutUnready(items, signal)).toEqual({ items, deferred: [] });
  });
});

describe('what changes', () => {
  const items = [item({ customDomain: served }), item({ serviceName: 'db' })];
  const changes = (ready: readonly string[], ...wishes: ReturnType<typeof wanted>[]) =>
    domainChanges(gateOf(), items, wishes, new Set(ready));

  it('is nothing for what is served already, whether it still exists or not, and for what does not exist yet', () => {
    expect(changes([], wanted(served))).toEqual({ items: undefined, refused: [] });
    expect(changes([], wanted(other))).toEqual({ items: undefined, refused: [] });
  });

  it('is a domain that exists, and one that goes, which nobody is asked about', () => {
    expect(changes([other], wanted(other)).items).toEqual([item({ customDomain: other }), items[1]]);
    expect(changes([], wanted('')).items).toEqual([item(), items[1]]);
  });

  it('is not what cannot be served, which is told', () => {
    expect(changes([other], wanted('not a domain'), wanted(other, 'db'))).toEqual({
      items: [items[0], item({ serviceName: 'db', customDomain: other })],
      refused: [
        { serviceName: 'web', customDomain: 'not a domain', problem: expect.stringMatching(/label/) },
      ],
    });
  });
});
