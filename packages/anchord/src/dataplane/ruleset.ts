/**
 * The desired data plane as a ruleset: one table a family, of one shape. Names of tables, maps and chains are what operators
 * type after `nft list`, so they stay.
 */
import {
  accept,
  baseChain,
  type Chain,
  chain,
  dnat,
  drop,
  entry,
  jump,
  lookUp,
  map,
  masquerade,
  match,
  matchNot,
  oneOf,
  priorities,
  type Rule,
  type Ruleset,
  rule,
  ruleset,
  type Statement,
  setMark,
  type Table,
  type TableName,
  table,
} from '@berth/kernel/nftables';
import { type Family, families, type PerFamily } from '../families.ts';
import { type Protocol, protocols } from '../labels.ts';
import { onceFor } from '../once-for.ts';
import type { DnatEntries, DnatEntry } from './desired.ts';

/** Who we are in the comments of our tables. */
export const rulesetOwner = 'anchord';

export const tableNames = {
  v4: { family: 'ip', name: 'anchord_v4' },
  v6: { family: 'ip6', name: 'anchord_v6' },
} as const satisfies PerFamily<TableName>;

/** What old versions may have left under our names in the other family. */
export const strayTableNames: readonly TableName[] = [
  { family: 'ip', name: 'anchord_v6' },
  { family: 'ip6', name: 'anchord_v4' },
];

/** Who may send packets through us that belong to no exposed port and to no connection. */
export type ForwardFilter =
  | { readonly kind: 'off' }
  /** Whoever does not come in through the external interface: where nobody knows what the others are. */
  | { readonly kind: 'external' }
  /** Who comes in through one of these. */
  | { readonly kind: 'inner'; readonly interfaces: readonly string[] };

/** Apart from the interfaces, fixed for the life of the process. */
export interface DataplaneShape {
  readonly externalInterface: string;
  /**
   * Which packets are for us: by destination (any address of ours, so that siblings reach the external address, too), or
   * where the kernel can not tell, by the interface that they come in on.
   */
  readonly guard: PerFamily<'local-address' | 'external-interface'>;
  readonly forwardFilter: ForwardFilter;
  /** Which hairpinned connections to masquerade. Kernels before 5.7 do not know the input interface any more there. */
  readonly hairpin: 'by-interface' | 'by-mark';
}

/** What is as in `before` is the same value in both: comparing them has to look at the rest only. */
export function dataplaneRuleset(shape: DataplaneShape, entries: DnatEntries, before?: Ruleset): Ruleset {
  const byFamily = Map.groupBy(entries.values(), ({ family }) => family);
  return ruleset(
    rulesetOwner,
    ...families.map((family) => {
      const { name } = tableNames[family];
      const last = before?.tables.find((one) => one.name === name);
      return tableOf(family, shape, byFamily.get(family) ?? [], last);
    }),
  );
}

function tableOf(
  family: Family,
  shape: DataplaneShape,
  entries: readonly DnatEntry[],
  last: Table | undefined,
): Table {
  const { family: tableFamily, name } = tableNames[family];
  const data = family === 'v4' ? 'ipv4_addr' : 'ipv6_addr';
  const of = (protocol: Protocol, translated: boolean): readonly DnatEntry[] =>
    entries.filter(
      (one) => one.protocol === protocol && (one.backendPort !== one.externalPort) === translated,
    );
  const sets = protocols.map((protocol) => {
    const made = map(`dnat_${protocol}`, { key: 'inet_service', data }, of(protocol, false).map(mapEntryOf));
    const known = last?.sets.find((one) => one.name === made.name);
    return known?.kind === 'map' && sameValues(known.elements, made.elements) ? known : made;
  });
  const translations = protocols.map((protocol) => {
    const made = chain(`dnat_xlat_${protocol}`, of(protocol, true).map(translationOf));
    const known = last?.chains.find((one) => one.name === made.name);
    return known !== undefined && sameValues(known.rules, made.rules) ? known : made;
  });
  const chains = [...translations, ...fixedChains(family, shape)];
  const same = last !== undefined && sameValues(last.sets, sets) && sameValues(last.chains, chains);
  return same ? last : table(tableFamily, name, { sets, chains });
}

const mapEntryOf = onceFor(({ externalPort, address }: DnatEntry) => entry(externalPort, address));

const translationOf = onceFor(({ protocol, externalPort, address, backendPort: port }: DnatEntry) =>
  rule(match(`${protocol} dport`, externalPort), dnat({ address, port })),
);

const sameValues = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((value, index) => value === other[index]);

const fixedChainsOf: PerFamily<WeakMap<DataplaneShape, readonly Chain[]>> = {
  v4: new WeakMap(),
  v6: new WeakMap(),
};

/** The same values for the same shape: comparing two states then has to look at the entries only. */
function fixedChains(family: Family, shape: DataplaneShape): readonly Chain[] {
  const known = fixedChainsOf[family].get(shape);
  if (known !== undefined) return known;
  const chains = makeFixedChains(family, shape);
  fixedChainsOf[family].set(shape, chains);
  return chains;
}

const makeFixedChains = (family: Family, shape: DataplaneShape): readonly Chain[] => [
  ...(shape.hairpin === 'by-mark' ? [hairpinMarkChain(shape)] : []),
  baseChain(
    'prerouting',
    { type: 'nat', hook: 'prerouting', priority: priorities.dstnat },
    protocols.flatMap((protocol) => translationRules(family, protocol, shape)),
  ),
  ...(shape.forwardFilter.kind === 'off' ? [] : [forwardChain(shape)]),
  baseChain('postrouting', { type: 'nat', hook: 'postrouting', priority: priorities.srcnat }, [
    hairpinRule(shape),
    rule(match('oifname', shape.externalInterface), masquerade()),
  ]),
];

function translationRules(family: Family, protocol: Protocol, shape: DataplaneShape): readonly Rule[] {
  const forUs: readonly Statement[] = [
    shape.guard[family] === 'local-address'
      ? match('fib daddr type', 'local')
      : match('iifname', shape.externalInterface),
    match('meta l4proto', protocol),
  ];
  const target = lookUp(`${protocol} dport`, `dnat_${protocol}`);
  return [
    rule(...forUs, jump(`dnat_xlat_${protocol}`)),
    rule(...forUs, dnat(target, { family: tableNames[family].family })),
  ];
}

/** A sibling that reached us by the external address gets its answers through us, too. */
function hairpinRule({ externalInterface, hairpin }: DataplaneShape): Rule {
  const fromInside =
    hairpin === 'by-mark' ? match('ct mark', hairpinMark) : matchNot('iifname', externalInterface);
  return rule(fromInside, match('ct status', 'dnat'), masquerade());
}

const hairpinMark = 0x616e63;

const hairpinMarkChain = ({ externalInterface }: DataplaneShape) =>
  baseChain('hairpin_mark', { type: 'filter', hook: 'prerouting', priority: priorities.mangle }, [
    rule(matchNot('iifname', externalInterface), match('ct state', 'new'), setMark('ct', hairpinMark)),
  ]);

/** Whatever routes our inner networks through us gets no further than the exposed ports. */
const forwardChain = (shape: DataplaneShape) =>
  baseChain('forward', { type: 'filter', hook: 'forward', priority: priorities.filter }, forwardRules(shape));

function forwardRules({ externalInterface, forwardFilter }: DataplaneShape): readonly Rule[] {
  if (forwardFilter.kind !== 'inner') {
    const outside = match('iifname', externalInterface);
    return [
      rule(outside, match('ct state', oneOf('established', 'related')), accept),
      rule(outside, match('ct status', 'dnat'), accept),
      rule(outside, drop),
    ];
  }
  return [
    rule(match('ct state', oneOf('established', 'related')), accept),
    rule(match('ct status', 'dnat'), accept),
    ...forwardFilter.interfaces.map((name) => rule(match('iifname', name), accept)),
    rule(drop),
  ];
}
