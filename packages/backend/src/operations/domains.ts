import type { Clock } from '@berth/service';
import { customDomainProblem, domainResolves, type GateSettings } from '../ingress/index.ts';
import type { LeaseItem } from '../lease/index.ts';
import { flatServiceName } from '../manifest/index.ts';
import type { RequestedItem } from './items.ts';

export interface DomainGateOptions extends GateSettings {
  /** Is there a proxy at all? */
  readonly ingress: boolean;
  readonly wildcardDomain: string;
  /** Serve domains without asking whether they exist. */
  readonly unchecked: boolean;
  readonly clock: Pick<Clock, 'after'>;
}

/** Lets a domain pass when it is valid and exists. What is served already is never asked about again. */
export class DomainGate {
  readonly #options: DomainGateOptions;

  constructor(options: DomainGateOptions) {
    this.#options = options;
  }

  get enabled(): boolean {
    return this.#options.ingress;
  }

  problemOf(domain: string): string | undefined {
    return customDomainProblem(domain, this.#options.wildcardDomain);
  }

  /** Domains that are wanted, valid, and not served yet. */
  candidates(items: readonly LeaseItem[], wanted: readonly RequestedItem[]): readonly string[] {
    const domains = pairs(items, wanted)
      .filter(([item, domain]) => domain !== '' && domain !== item.customDomain)
      .map(([, domain]) => domain)
      .filter((domain) => this.problemOf(domain) === undefined);
    return [...new Set(domains)];
  }

  /** Which of these exist. Without a check all of them do. */
  async readyOf(domains: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    const { unchecked, ingress, clock } = this.#options;
    if (unchecked || !ingress) return new Set(domains);
    const answers = await Promise.all(
      domains.map((domain) => domainResolves(domain, this.#options, clock, signal)),
    );
    return new Set(domains.filter((_, index) => answers[index]));
  }

  /** The items of a new lease, without the domains that are valid but not there yet; those are added later. */
  async withoutUnready(
    items: readonly LeaseItem[],
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly LeaseItem[]; readonly deferred: readonly LeaseItem[] }> {
    const valid = items
      .map(({ customDomain }) => customDomain)
      .filter((domain) => domain !== '' && this.problemOf(domain) === undefined);
    if (valid.length === 0 || !this.enabled) return { items, deferred: [] };
    const ready = await this.readyOf([...new Set(valid)], signal);
    const isUnready = ({ customDomain }: LeaseItem): boolean =>
      valid.includes(customDomain) && !ready.has(customDomain);
    return {
      items: items.map((item) => (isUnready(item) ? { ...item, customDomain: '' } : item)),
      deferred: items.filter(isUnready),
    };
  }
}

/** Each item with the domain that the chain wants for it; items and wishes without a match are left out. */
function pairs(
  items: readonly LeaseItem[],
  wanted: readonly RequestedItem[],
): (readonly [LeaseItem, string])[] {
  const [only] = wanted;
  const named =
    wanted.length === 1 && only?.serviceName === '' ? [{ ...only, serviceName: flatServiceName }] : wanted;
  return items.flatMap((item) => {
    const match = named.find(({ serviceName }) => serviceName !== '' && serviceName === item.serviceName);
    return match === undefined ? [] : [[item, match.customDomain] as const];
  });
}

export interface DomainChanges {
  /** The items as they should be; undefined when nothing changes. */
  readonly items: readonly LeaseItem[] | undefined;
  readonly refused: readonly {
    readonly serviceName: string;
    readonly customDomain: string;
    readonly problem: string;
  }[];
}

/** A new domain needs to exist, one that goes away does not, and what is not ready leaves the old one in place. */
export function domainChanges(
  gate: DomainGate,
  items: readonly LeaseItem[],
  wanted: readonly RequestedItem[],
  ready: ReadonlySet<string>,
): DomainChanges {
  const overrides = new Map<string, string>();
  const refused: DomainChanges['refused'][number][] = [];
  for (const [{ serviceName, customDomain: served }, customDomain] of pairs(items, wanted)) {
    if (customDomain === served) continue;
    const problem = customDomain === '' ? undefined : gate.problemOf(customDomain);
    if (problem !== undefined) refused.push({ serviceName, customDomain, problem });
    else if (customDomain === '' || ready.has(customDomain)) overrides.set(serviceName, customDomain);
  }
  if (overrides.size === 0) return { items: undefined, refused };
  const changed = items.map((item) => ({
    ...item,
    customDomain: overrides.get(item.serviceName) ?? item.customDomain,
  }));
  return { items: changed, refused };
}
