/** Anchors that run on a simulated host, and how to let them come to rest. */
import type { RecordingLog } from '@berth/service/testing';
import { LifecycleKeeper } from '../lifecycle/keeper.ts';
import type { Recipe } from '../lifecycle/recipe.ts';
import { WrapRebinder } from '../lifecycle/wrap/rebinder.ts';
import { testParts } from './program.ts';
import type { SimHost } from './sim-host.ts';

export const recipe: Recipe = {
  target: 'target',
  name: 'target-service-anchor',
  image: undefined,
  gatewayIp: undefined,
  extraEnv: new Map(),
  labels: new Map([['anchord.expose', 'tcp/80']]),
};

/** Nothing is held back, so that what loops is seen to loop. */
const noLimits = { firstPauseMs: 0, longestPauseMs: 0, most: Number.MAX_SAFE_INTEGER };
const pollMs = 30_000;

export interface SimAnchor {
  /** False: it did not come to rest. */
  rest(): Promise<boolean>;
}

export interface SimSelf {
  /** Asked at every look. */
  readonly gateway?: () => string;
  readonly imageId?: string;
}

export function simKeeper(
  host: SimHost,
  { gateway = () => '172.30.0.2', imageId = 'sha256:1' }: SimSelf = {},
): SimAnchor & { readonly keeper: LifecycleKeeper; readonly recording: RecordingLog } {
  const actor = 'edge-anchord-1';
  const parts = testParts();
  const keeper = new LifecycleKeeper(
    { recipe, reach: { projects: new Set(['mail']), selector: [] }, autofix: true, pollMs, actor },
    {
      ...parts,
      clock: host.clock,
      door: host.door(actor),
      lookAtSelf: () =>
        Promise.resolve({
          id: 'f'.repeat(64),
          name: actor,
          image: imageId,
          imageId,
          gateway: gateway(),
          gatewayIsGuess: false,
        }),
      random: () => 0.5,
      limits: noLimits,
    },
  );
  const { recording } = parts;
  return { keeper, recording, ...resting(host, (signal) => keeper.look('poll', signal)) };
}

export function simRebinder(
  host: SimHost,
  actor = 'wrap-rebinder-1',
): SimAnchor & { readonly rebinder: WrapRebinder; readonly recording: RecordingLog } {
  const parts = testParts();
  const rebinder = new WrapRebinder(
    { project: 'wrap', selfId: 'f'.repeat(64), actor, pollMs, graceMs: 1_000 },
    {
      ...parts,
      clock: host.clock,
      door: host.door(actor),
      onLooked: () => undefined,
      random: () => 0.5,
      limits: noLimits,
    },
  );
  const { recording } = parts;
  return { rebinder, recording, ...resting(host, (signal) => rebinder.look('poll', signal)) };
}

/** Far more looks than any trouble takes. */
const mostLooks = 12;

function resting(host: SimHost, look: (signal: AbortSignal) => Promise<number>): SimAnchor {
  const { signal } = new AbortController();
  return {
    async rest() {
      for (let count = 0; count < mostLooks; count++) {
        const ms = await look(signal).catch(() => 1_000);
        if (ms >= pollMs * 0.9) return true;
        host.pass(ms);
      }
      return false;
    },
  };
}
