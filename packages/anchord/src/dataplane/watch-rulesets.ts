/** Hears of every change of rulesets in our namespace, as long as the scope lives; a watch that breaks is opened again. */
import { NETLINK_NETFILTER, NetlinkListener } from '@berth/kernel/netlink';
import type { Netns } from '@berth/kernel/netns';
import type { Clock, Scope } from '@berth/service';
import type { Log } from '@berth/service/log';
import { watchRepeatedly } from '../watch-repeatedly.ts';

/** The kernel's group for changes of nf_tables. */
const nftablesGroup = 7;

export function watchRulesets(
  scope: Scope,
  parts: { readonly clock: Clock; readonly log: Log },
  onChange: () => void,
  namespace?: Netns,
): void {
  watchRepeatedly(scope, 'watching the rulesets', parts, (onFailure) => {
    const where = namespace === undefined ? {} : { namespace };
    const listener = NetlinkListener.open(
      { protocol: NETLINK_NETFILTER, groups: [nftablesGroup], ...where },
      { event: onChange, overrun: onChange, failed: onFailure },
    );
    onChange();
    return listener;
  });
}
