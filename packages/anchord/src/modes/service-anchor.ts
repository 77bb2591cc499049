/** Service-anchor: owns or joins a network namespace, and keeps its default route at the network-anchor. */
import { lookup } from 'node:dns/promises';
import { Network } from '@berth/kernel/network';
import { type ServiceAnchorSettings, serviceAnchorSettings } from '../config/settings.ts';
import { type Mode, runMode } from '../program.ts';
import { Arrangement } from '../routes/arrangement.ts';
import { watchNetwork } from '../routes/watch-network.ts';
import { ServiceAnchor } from '../service-anchor/index.ts';

const gates = {
  route_installed: {
    title: 'A default route leads to the network-anchor',
    severity: 'error',
    readiness: 'latched',
  },
} as const;

/** Through the name service of the namespace, with its hosts file and its search list, like every program in it. */
const resolve = async (hostname: string): Promise<readonly string[]> =>
  (await lookup(hostname, { all: true, order: 'verbatim' })).map(({ address }) => address);

const followed = ({ gateway }: ServiceAnchorSettings): string =>
  gateway.kind === 'name'
    ? gateway.hostname
    : Object.values(gateway.addresses)
        .filter((address) => address !== undefined)
        .join(', ');

const serviceAnchorMode: Mode<ServiceAnchorSettings, typeof gates> = {
  name: 'service-anchor',
  readSettings: serviceAnchorSettings,
  gates,
  async run({ scope, stop, status, ...parts }, settings, gate) {
    const network = scope.own(Network.open());
    const arrangement = new Arrangement(parts);
    const anchor = new ServiceAnchor(settings, {
      ...parts,
      arrangement,
      network,
      resolve,
      onReady: () => gate('route_installed'),
    });
    status.tell('gateways', () => anchor.gateways());
    status.tell('follows', () => followed(settings));
    // Released before the socket that it needs, and after the loop has ended.
    scope.defer(() => anchor.stop(), 'restoring the default routes');
    const running = anchor.run(scope.signal);
    // Its first snapshot makes up for what has happened since.
    watchNetwork(scope, parts, { watched: ['links', 'addresses', 'routes'] }, (event) => {
      arrangement.hear(event);
      if (event.kind === 'resync' || event.by !== network.portId) anchor.kernelChanged();
    });
    await running;
    return undefined;
  },
};

/** Until the end of the process. */
export const run = (env: NodeJS.ProcessEnv): Promise<never> => runMode(serviceAnchorMode, env);
