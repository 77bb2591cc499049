/** Hears of what others change in our network, for as long as the scope lives. */
import { type NetworkEvent, NetworkWatch, type NetworkWatchOptions } from '@berth/kernel/network';
import type { Clock, Scope } from '@berth/service';
import type { Log } from '@berth/service/log';
import { watchRepeatedly } from '../watch-repeatedly.ts';

export function watchNetwork(
  scope: Scope,
  parts: { readonly clock: Clock; readonly log: Log },
  options: NetworkWatchOptions,
  onEvent: (event: NetworkEvent) => void,
): void {
  watchRepeatedly(scope, 'watching the network', parts, (onFailure) =>
    NetworkWatch.open(options, onEvent, onFailure),
  );
}
