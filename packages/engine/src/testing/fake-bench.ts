import { type Clock, systemClock } from '@berth/service';
import { FakeEngine } from './fake-engine.ts';
import { type Bench, type Call, calls, type Trouble } from './recreate-suite.ts';

/** Time that flies: a hundred times as fast. */
export const hastyClock: Clock = {
  ...systemClock,
  after: (delayMs, callback) => systemClock.after(delayMs / 100, callback),
};

export function fakeBench(): Bench {
  let engine = new FakeEngine(hastyClock);
  let struck = new Map<Call, { readonly trouble: Trouble; times: number }>();
  const system = { spokenVersion: () => Promise.resolve({ major: 1, minor: 41 }) };
  return {
    get door() {
      return { clock: hastyClock, containers: engine.containers, networks: engine.networks, system };
    },
    endsWithinMs: 1,
    request: (more = {}) => ({ Image: 'image', ...more }),
    named: (what) => what,
    network: (what) => Promise.resolve(what),
    everything: () => Promise.resolve(engine.everything),
    strike(call, trouble, times) {
      struck.set(call, { trouble, times });
      engine.mishap = (happening) => {
        const strike = calls.find((known) => known === happening);
        const left = strike === undefined ? undefined : struck.get(strike);
        if (left === undefined || left.times === 0) return undefined;
        left.times -= 1;
        return left.trouble === 'lost request' ? 'lost request' : 'lost answer';
      };
    },
    die(call, trouble) {
      let dead = false;
      engine.mishap = (happening) => {
        if (dead) return 'lost request';
        dead = happening === call;
        return dead ? trouble : undefined;
      };
    },
    mend() {
      engine.mishap = () => undefined;
    },
    clear() {
      engine = new FakeEngine(hastyClock);
      struck = new Map();
      return Promise.resolve();
    },
  };
}
