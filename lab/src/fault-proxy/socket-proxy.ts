/**
 * The usual socket proxy as the examples use it, in a container: reads its switches from the environment (CONTAINERS=1),
 * and lets through what they name, from port 2375 to the mounted Docker socket.
 */
import { socketProxy, socketProxySwitches } from './permissions.ts';
import { FaultProxy } from './proxy.ts';

const switches = socketProxySwitches.filter((name) => process.env[name] === '1');
const proxy = await FaultProxy.start({ socketPath: '/var/run/docker.sock' }, { host: '0.0.0.0', port: 2375 });
proxy.permit(socketProxy(switches));
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void proxy[Symbol.asyncDispose]().then(() => process.exit(0)));
