import { describe, expect, it } from 'vitest';
import { joining, life, ofProject, stranded, waiting } from '../testing/life.ts';
import { lineageLabel, lineageOf } from './lineage.ts';
import type { LifeContainer } from './observe.ts';
import { type LifeView, planLife } from './plan.ts';
import { type Recipe, type Self, specOf } from './recipe.ts';

const mail = ofProject('mail');
const reach = { projects: new Set(['mail']), selector: [] };
const view: LifeView = { reach, autofix: true, managed: undefined };
const gone = 'd'.repeat(64);
const later = '2026-01-01T00:00:09Z';

const plan = (all: readonly LifeContainer[], changes: Partial<LifeView> = {}) =>
  planLife(all, { ...view, ...changes }).steps.map((step) => {
    const who =
      'container' in step ? step.container.name : 'anchor' in step ? step.anchor.name : step.spec.name;
    return 'reason' in step ? `${step.do} ${who}: ${step.reason}` : `${step.do} ${who}`;
  });

describe('siblings', () => {
  const target = life('target');

  it('are started when what they wait for runs, by whatever reference', () => {
    for (const reference of [target.id, target.id.slice(0, 12), 'target', '/target'])
      expect(plan([target, joining('app', reference, waiting({ labels: mail }))])).toEqual([
        'start sibling app',
      ]);
  });

  it('are left alone while that does not run, and once they have run', () => {
    const app = joining('app', target, waiting({ labels: mail }));
    expect(plan([{ ...target, status: 'exited' }, app])).toEqual([]);
    expect(plan([app])).toEqual([]);
    expect(plan([target, { ...app, status: 'exited', look: undefined }])).toEqual([]);
  });

  it('of somebody else are started only where their start was tried', () => {
    const theirs = joining('app', target, waiting({ labels: ofProject('other') }));
    expect(plan([target, theirs])).toEqual(['start sibling app']);
    const untried = { lacksOwner: false, restarts: true, env: [] };
    expect(plan([target, { ...theirs, look: untried }])).toEqual([]);
    expect(plan([target, { ...theirs, look: untried, labels: { 'anchord.expose': 'tcp/1' } }])).toEqual([
      'start sibling app',
    ]);
  });

  it('are ours, too, where the label selector means them', () => {
    const labels = { role: 'outpost' };
    const look = { lacksOwner: false, restarts: false, env: [] };
    const app = joining('app', target, waiting({ labels, look }));
    expect(plan([target, app])).toEqual([]);
    const selector = [{ key: 'role', value: 'outpost' }];
    expect(plan([target, app], { reach: { projects: new Set(), selector } })).toEqual(['start sibling app']);
  });

  it('that are set aside by a re-creation are left to it', () => {
    const app = joining('app', target, waiting({ labels: mail }));
    const aside = { ...app, name: 'app.berth-abcdef', names: ['app.berth-abcdef'], isAside: true };
    expect(plan([target, aside])).toEqual([]);
  });

  it('that somebody made by hand for one run are nobody to wait for', () => {
    const labels = { ...mail, 'com.docker.compose.oneoff': 'True' };
    const look = { lacksOwner: false, restarts: false, env: [] };
    expect(plan([target, joining('app', target, waiting({ labels, look }))])).toEqual([]);
  });
});

describe('dependents', () => {
  const owner = life('owner', { labels: mail });
  const app = (changes: Partial<LifeContainer> = {}) => joining('app', owner, { labels: mail, ...changes });

  it('of an owner that was restarted in place are restarted', () => {
    expect(plan([owner, app()])).toEqual([]);
    expect(plan([{ ...owner, runningSince: later }, app()])).toEqual(['rejoin app']);
    expect(plan([{ ...owner, runningSince: later }, app({ labels: ofProject('other') })])).toEqual([]);
    expect(plan([{ ...owner, runningSince: later }, app()], { autofix: false })).toEqual([]);
  });

  it('that Docker gave up on are started when their owner runs, unless they were not to run', () => {
    expect(plan([owner, app(stranded())])).toEqual(['start stranded app']);
    expect(plan([owner, app(stranded(false))])).toEqual([]);
    expect(plan([{ ...owner, status: 'exited' }, app(stranded())])).toEqual([]);
    expect(plan([owner, app({ status: 'exited', runningSince: undefined })])).toEqual([]);
    expect(plan([owner, app({ ...stranded(), labels: ofProject('other') })])).toEqual([]);
  });

  it('of an owner that an anchor replaced are made anew for the successor, in whatever project they are', () => {
    const successor = life('anchor', { labels: { 'anchord.managed-by': 'f45', [lineageLabel]: gone } });
    const orphan = joining('orphan', gone, { labels: ofProject('other') });
    expect(plan([successor, orphan])).toEqual(['rebind orphan']);
    expect(plan([{ ...successor, status: 'created' }, orphan])).toEqual([]);
    expect(plan([successor, orphan], { autofix: false })).toEqual([]);
    expect(plan([successor, { ...orphan, status: 'removing' }])).toEqual([]);
  });

  it('of an owner that somebody else replaced are theirs, though an anchor of theirs did it', () => {
    const successor = life('owner', { labels: { ...ofProject('other'), [lineageLabel]: gone } });
    expect(plan([successor, joining('app', gone, { labels: mail })])).toEqual([]);
  });

  it('are known by an id, whole or cut as Docker cuts it, after eight replacements of their owner, too', () => {
    const ids = Array.from({ length: 9 }, (_, at) => `${at}`.repeat(64));
    const last = ids.reduce(
      (labels, id) => ({ ...mail, ...lineageOf({ id, labels }) }),
      mail as Readonly<Record<string, string>>,
    );
    const successor = life('owner', { labels: last });
    const at = (reference = '') => plan([successor, joining('app', reference, { labels: mail })]);
    expect(ids.map((id) => at(id).length)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(at(ids[8]?.slice(0, 12))).toEqual(['rebind app']);
    expect(at(ids[8]?.slice(0, 11))).toEqual([]);
  });

  it('of an owner that somebody else removed are only reported: nothing proves where they belong', () => {
    expect(plan([life('owner', { labels: mail }), joining('app', gone, { labels: mail })])).toEqual([]);
    const twice = ['a', 'b'].map((name) => life(name, { labels: { ...mail, [lineageLabel]: gone } }));
    expect(plan([...twice, joining('app', gone, { labels: mail })])).toEqual([]);
  });

  it('of dependents have their turn after them', () => {
    const restarted = { ...owner, runningSince: later };
    const middle = app();
    const outer = joining('outer', middle, { labels: mail, runningSince: '2026-01-01T00:00:00.5Z' });
    expect(plan([restarted, middle, outer])).toEqual(['rejoin app']);
  });

  it('that are set aside by a re-creation are left to it', () => {
    const aside = app({ name: 'app.berth-abcdef.up', names: ['app.berth-abcdef.up'], isAside: true });
    expect(plan([{ ...owner, runningSince: later }, aside])).toEqual([]);
    expect(
      plan([joining('x', gone, { isAside: true }), life('s', { labels: { [lineageLabel]: gone } })]),
    ).toEqual([]);
  });
});

describe('the managed service-anchor', () => {
  const recipe: Recipe = {
    target: 'target',
    name: 'target-service-anchor',
    image: undefined,
    gatewayIp: undefined,
    extraEnv: new Map([['ANCHORD_LOG_LEVEL', 'debug']]),
    labels: new Map([['anchord.expose', 'tcp/80']]),
  };
  const self: Self = {
    id: 'c'.repeat(64),
    name: 'edge-anchord-1',
    image: 'anchord:1',
    imageId: 'sha256:1',
    gateway: '172.30.0.2',
    gatewayIsGuess: false,
  };
  const made = (who: Self = self, how: Recipe = recipe) => {
    const spec = specOf(how, who);
    if (typeof spec === 'string') throw new Error(spec);
    return spec;
  };
  const managed = (checksImage = false, who = self, how = recipe) => ({
    managed: { spec: made(who, how), self: who, checksImage },
  });
  const target = life('target');
  const us = life(self.name);
  const anchor = (changes: Partial<LifeContainer> = {}) => {
    const { name, env, labels } = made();
    return joining(name, target, { labels, look: { lacksOwner: false, restarts: true, env }, ...changes });
  };

  it('is specified by the recipe, the extra environment before the standard one', () => {
    expect(made().env).toEqual([
      'ANCHORD_GATEWAY_IP=172.30.0.2',
      'ANCHORD_LOG_LEVEL=debug',
      'ANCHORD_MODE=service-anchor',
    ]);
    expect(made().labels).toMatchObject({
      'anchord.expose': 'tcp/80',
      'anchord.managed-by': 'f45',
      'anchord.managed-by.container': self.name,
    });
    expect(specOf(recipe, { ...self, gateway: undefined })).toBe('we have no address on the shared network');
    expect(specOf(recipe, { ...self, image: '' })).toBe('our own container tells no image');
  });

  it.each<[string, readonly LifeContainer[], string[]]>([
    ['is made beside a running target', [target], ['create managed target-service-anchor']],
    ['is not made without one', [{ ...target, status: 'exited' }], []],
    ['stays as it is where it is fine', [target, anchor()], []],
    [
      'is started where it does not run',
      [target, anchor({ status: 'exited', runningSince: undefined })],
      ['start managed target-service-anchor'],
    ],
    [
      'is started like a sibling where it was only created',
      [target, anchor(waiting())],
      ['start sibling target-service-anchor'],
    ],
    [
      'is restarted where its target was',
      [{ ...target, runningSince: later }, anchor()],
      ['restart managed target-service-anchor'],
    ],
    [
      'is made anew where its target is another container',
      [target, anchor({ networkMode: `container:${gone}` })],
      ['recreate managed target-service-anchor: stale_netns'],
    ],
    [
      'is made anew, too, where it does not run and could not',
      [target, anchor({ networkMode: `container:${gone}`, ...stranded() })],
      ['recreate managed target-service-anchor: stale_netns'],
    ],
    ['is left to its freezer', [target, anchor({ status: 'paused' })], []],
    ['is left to its end', [target, anchor({ status: 'removing', runningSince: undefined })], []],
    ['is left alone with a mode of its own', [target, anchor({ networkMode: 'host' })], []],
    [
      'is waited for while it is being replaced',
      [
        target,
        anchor({
          name: 'target-service-anchor.berth-abcdef',
          names: ['target-service-anchor.berth-abcdef'],
          isAside: true,
        }),
      ],
      [],
    ],
  ])('%s', (_, all, steps) => {
    expect(plan([us, ...all], managed())).toEqual(steps);
  });

  it('follows our image only at the start, and never against a pin', () => {
    const old = anchor({ imageId: 'sha256:0' });
    expect(plan([us, target, old], managed())).toEqual([]);
    expect(plan([us, target, old], managed(true))).toEqual([
      'recreate managed target-service-anchor: image_drift',
    ]);
    for (const [theirs, ours] of [
      ['', self.imageId],
      ['sha256:0', ''],
    ] as const)
      expect(
        plan([us, target, anchor({ imageId: theirs })], managed(true, { ...self, imageId: ours })),
      ).toEqual([]);
    const pinned = { ...recipe, image: 'anchord:0' };
    const byPin = anchor({ imageId: 'sha256:0', labels: made(self, pinned).labels });
    expect(plan([us, target, byPin], managed(true, self, pinned))).toEqual([]);
  });

  it('follows our address, unless that is a guess, and our recipe', () => {
    const moved = { ...self, gateway: '172.30.0.9' };
    const drift = 'recreate managed target-service-anchor:';
    expect(plan([us, target, anchor()], managed(false, moved))).toEqual([`${drift} gateway_changed`]);
    expect(plan([us, target, anchor()], managed(false, { ...moved, gatewayIsGuess: true }))).toEqual([]);
    const other = { ...recipe, labels: new Map() };
    expect(plan([us, target, anchor()], managed(false, self, other))).toEqual([`${drift} recipe_changed`]);
  });

  it('that another program made is taken as it is, as long as it fits', () => {
    const { 'anchord.managed-by.recipe': _, 'anchord.managed-by.container': __, ...labels } = made().labels;
    expect(plan([us, target, anchor({ labels })], managed())).toEqual([]);
    const { 'anchord.expose': ___, ...fewer } = labels;
    expect(plan([us, target, anchor({ labels: fewer })], managed())).toEqual([
      'recreate managed target-service-anchor: recipe_changed',
    ]);
  });

  it('is not touched where somebody else made it, or another anchor that is still there makes it', () => {
    const stranger = joining('target-service-anchor', gone);
    expect(plan([us, target, stranger], managed())).toEqual([]);
    expect(planLife([us, target, stranger], { ...view, ...managed() }).obstacle).toMatchObject({
      kind: 'foreign',
    });
    const theirs = anchor({
      labels: { ...made().labels, 'anchord.managed-by.container': 'other-anchord-1' },
      networkMode: `container:${gone}`,
    });
    expect(plan([us, target, theirs, life('other-anchord-1')], managed())).toEqual([]);
    expect(plan([us, target, theirs], managed())).toEqual([
      'recreate managed target-service-anchor: stale_netns',
    ]);
  });
});
