/** What an anchor has put into the kernel, seen from outside of it. */
import type { Netns } from '@berth/kernel/netns';
import { type Nftables, watchRulesets } from '@berth/kernel/nftables';
import type { Scope } from '@berth/service';

const owner = 'anchord';

/** Which port leads to which address, over TCP and IPv4. */
export function ledTo(nftables: Nftables): ReadonlyMap<number, string> {
  const { ruleset } = nftables.read(owner);
  const map = ruleset.tables
    .find(({ family }) => family === 'ip')
    ?.sets.find(({ name, kind }) => kind === 'map' && name === 'dnat_tcp');
  if (map?.kind !== 'map') return new Map();
  return new Map(map.elements.map(({ key, data }) => [Number(key), String(data)]));
}

/** Hears of each transaction in the namespace, until the scope ends. */
export function rulesetChanges(scope: Scope, namespace: Netns, heard: () => void): void {
  const failed = (error: unknown): void => {
    throw error;
  };
  const watch = watchRulesets({ changed: heard, overrun: heard, failed }, { namespace });
  scope.defer(() => watch[Symbol.dispose](), 'watch');
}
