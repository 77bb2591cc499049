import { join } from 'node:path';
import { FaultProxy } from '@berth/lab/fault-proxy';
import { connectEngine, type Engine } from '../engine.ts';
import type { Site } from './site.ts';

/** A site's engine behind a proxy that breaks its traffic on order. */
export interface Faulty extends AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly engine: Engine;
}

let made = 0;

export async function behindProxy(site: Site): Promise<Faulty> {
  made += 1;
  const socketPath = join(site.host.runFolder, `${site.name}-${made}.sock`);
  const proxy = await FaultProxy.start({ socketPath: site.host.socketPath }, { socketPath });
  const scope = site.scope.child(`proxy-${made}`);
  return {
    proxy,
    engine: connectEngine(scope, { endpoint: { kind: 'unix', socketPath }, env: {} }),
    async [Symbol.asyncDispose]() {
      await scope.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}
