import { describe, expect, it } from 'vitest';
import { joining, life, ofProject, stranded, waiting } from '../../testing/life.ts';
import type { LifeContainer } from '../observe.ts';
import { planWraps, type WrapView, wrapsOf, wrapTargetLabel } from './plan.ts';

const wrap = ofProject('wrap', 'web-anchor');
const view: WrapView = { project: 'wrap', selfId: 'c'.repeat(64), known: new Map(), formerNames: new Map() };
const gone = 'd'.repeat(64);

const plan = (all: readonly LifeContainer[], changes: Partial<WrapView> = {}) =>
  planWraps(all, wrapsOf(all, { ...view, ...changes })).map(
    (step) => `${step.do} ${step.container.name} for ${step.targetName}`,
  );
const orphans = (all: readonly LifeContainer[], changes: Partial<WrapView> = {}) =>
  wrapsOf(all, { ...view, ...changes }).filter(({ targetName }) => targetName === undefined).length;

describe('a wrap container', () => {
  const target = life('app-web', { labels: ofProject('app') });
  const web = (changes: Partial<LifeContainer> = {}) => joining('web', target, { labels: wrap, ...changes });

  it('stays as it is while it sits with its target, and a second look does nothing', () => {
    expect(plan([target, web()])).toEqual([]);
    expect(plan([target, web({ networkMode: 'container:app-web' })])).toEqual([]);
  });

  it('is made anew when its target is another container, as long as somebody knows which one it was', () => {
    const orphan = web({ networkMode: `container:${gone}` });
    expect(plan([target, orphan])).toEqual([]);
    expect(orphans([target, orphan])).toBe(1);
    const step = ['recreate web for app-web'];
    expect(plan([target, orphan], { known: new Map([['web', 'app-web']]) })).toEqual(step);
    expect(plan([target, orphan], { formerNames: new Map([[gone, 'app-web']]) })).toEqual(step);
    expect(plan([target, { ...orphan, labels: { ...wrap, [wrapTargetLabel]: 'app-web' } }])).toEqual(step);
  });

  it('waits while its target is away, or does not run', () => {
    const known = new Map([['web', 'app-web']]);
    expect(plan([web({ networkMode: `container:${gone}` })], { known })).toEqual([]);
    const stopped = { ...target, status: 'exited' as const };
    expect(plan([stopped, web({ networkMode: `container:${gone}` })], { known })).toEqual([]);
    expect(orphans([web({ networkMode: 'container:app-web' })])).toBe(0);
  });

  it('is restarted when its target was, by id or by name', () => {
    const restarted = { ...target, runningSince: '2026-01-01T00:01:00Z' };
    for (const networkMode of [`container:${target.id}`, 'container:app-web'])
      expect(plan([restarted, web({ networkMode })])).toEqual(['rejoin web for app-web']);
  });

  it('is started when it could not be before, and left alone when it was stopped on purpose', () => {
    expect(plan([target, web(waiting({ labels: wrap }))])).toEqual(['start web for app-web']);
    expect(plan([target, web({ ...stranded(), labels: wrap })])).toEqual(['start web for app-web']);
    expect(plan([target, web({ status: 'exited', runningSince: undefined })])).toEqual([]);
  });

  it('is one of our project, not ourselves, and not what shares nothing', () => {
    const orphan = { networkMode: `container:${gone}`, labels: { ...wrap, [wrapTargetLabel]: 'app-web' } };
    const foreign = { ...orphan, labels: { ...ofProject('other'), [wrapTargetLabel]: 'app-web' } };
    expect(plan([target, joining('foreign', gone, foreign)])).toEqual([]);
    expect(plan([target, joining('self', gone, orphan)], { selfId: joining('self', gone).id })).toEqual([]);
    expect(plan([target, life('host', { ...orphan, networkMode: 'host' })])).toEqual([]);
  });

  it('is left alone where its reference could mean two', () => {
    const twins = ['1', '2'].map((end) => life(`app-web-${end}`, { id: `${'d'.repeat(63)}${end}` }));
    const unsure = web({ networkMode: `container:${'d'.repeat(12)}` });
    expect(orphans([...twins, unsure])).toBe(0);
    expect(plan([...twins, unsure], { known: new Map([['web', 'app-web-1']]) })).toEqual([]);
  });

  it('keeps the name of a target that is just being replaced', () => {
    const aside = {
      ...target,
      name: 'app-web.berth-abcdef.up',
      names: ['app-web.berth-abcdef.up'],
      isAside: true,
    };
    const successor = life('app-web', { id: 'e'.repeat(64), labels: ofProject('app') });
    expect(plan([aside, web()])).toEqual([]);
    expect(plan([aside, successor, web()])).toEqual(['recreate web for app-web']);
  });
});
