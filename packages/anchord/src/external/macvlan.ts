/** The external interface that anchord makes by itself, as before Docker's macvlan networks: a child of a VLAN link. */
import { type Mac, parseMac } from '@berth/kernel/ip';
import type { Link } from '@berth/kernel/network';
import { nodeCrypto } from '@berth/service';

/** As much of a link as tells whether it is the right one. */
export type ObservedLink = Pick<Link, 'index' | 'name' | 'mac' | 'up' | 'kind' | 'macvlanMode' | 'parent'>;

export interface MacvlanChild {
  readonly name: string;
  readonly parent: string;
  readonly mac: Mac;
}

type MacvlanStep =
  | { readonly kind: 'delete'; readonly index: number }
  | { readonly kind: 'create'; readonly child: MacvlanChild; readonly parent: number }
  | { readonly kind: 'set-up'; readonly index: number };

export type MacvlanPlan =
  | { readonly kind: 'parent-missing' }
  | { readonly kind: 'steps'; readonly steps: readonly MacvlanStep[] };

/**
 * Stable for a project, so that a reservation by MAC stays. The words before the name are part of what deployed
 * reservations depend on.
 */
export function derivedMac(project: string): Mac {
  const digest = nodeCrypto().createHash('sha256').update(`anchord:${project}`).digest();
  const bytes = [0x02, 0x42, ...digest.subarray(0, 4)];
  return parseMac(bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':'));
}

/** What has to be done until the child is there, of the right shape, and up. Nothing when it is. */
export function planMacvlan(links: readonly ObservedLink[], child: MacvlanChild): MacvlanPlan {
  const parent = links.find(({ name }) => name === child.parent);
  if (parent === undefined) return { kind: 'parent-missing' };
  const existing = links.find(({ name }) => name === child.name);
  if (existing === undefined)
    return { kind: 'steps', steps: [{ kind: 'create', child, parent: parent.index }] };
  if (!hasShape(existing, child, parent.index)) {
    return {
      kind: 'steps',
      steps: [
        { kind: 'delete', index: existing.index },
        { kind: 'create', child, parent: parent.index },
      ],
    };
  }
  return { kind: 'steps', steps: existing.up ? [] : [{ kind: 'set-up', index: existing.index }] };
}

const hasShape = (link: ObservedLink, child: MacvlanChild, parent: number): boolean =>
  link.kind === 'macvlan' &&
  link.macvlanMode === 'bridge' &&
  link.parent === parent &&
  link.mac === child.mac;
