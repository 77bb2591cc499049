/** Who is found in a dead namespace, and where it is certain enough what is to become of it for --fix to do it. */
import { describe, expect, it } from 'vitest';
import type { LifeContainer } from '../../lifecycle/observe.ts';
import { joining, life, ofProject, stranded } from '../../testing/life.ts';
import { described } from '../fix.ts';
import { deadFindings } from './containers.ts';

const gone = 'd'.repeat(64);
const dependsOn = (text: string) => ({
  ...ofProject('mail', 'smtp'),
  'com.docker.compose.depends_on': text,
});
const app = (changes: Partial<LifeContainer> = {}) =>
  joining('app', gone, { labels: dependsOn('anchor:service_started:false'), ...changes });
const anchor = life('anchor', { labels: ofProject('mail', 'anchor') });
const stepsFor = (...all: readonly LifeContainer[]) =>
  deadFindings(all).map(({ subject, step }) => (step === undefined ? subject : described(step)));

describe('a container whose owner is gone', () => {
  it('is re-created where Compose leaves no doubt about the new owner', () => {
    expect(stepsFor(anchor, app())).toEqual(['re-create app in the network of anchor']);
    expect(deadFindings([anchor, app()])).toMatchObject([
      {
        subject: 'app',
        detail: 'sits in the network of dddddddddddd, which is gone',
        remedy: 'docker compose -p mail up -d --no-deps --force-recreate smtp',
        step: { networkMode: `container:${anchor.id}` },
      },
    ]);
  });

  it.each<[string, readonly LifeContainer[]]>([
    ['depends on two services', [anchor, app({ labels: dependsOn('anchor:x:false,db:x:false') })]],
    ['depends on nobody', [anchor, app({ labels: ofProject('mail', 'smtp') })]],
    ['depends on what runs twice', [anchor, { ...anchor, id: 'e'.repeat(64), names: ['anchor-2'] }, app()]],
    ['depends on what does not run', [{ ...anchor, status: 'exited' }, app()]],
    ['depends on a service of another project', [{ ...anchor, labels: ofProject('web', 'anchor') }, app()]],
    ['is unknown to Compose', [anchor, app({ labels: {} })]],
  ])('is left to a person where it %s', (_, all) => {
    expect(stepsFor(...all)).toEqual(['app']);
  });

  it('stays stopped where somebody has stopped it, and not where it could not start', () => {
    expect(stepsFor(anchor, app({ status: 'exited', runningSince: undefined }))).toEqual([
      're-create app in the network of anchor, stopped as it is',
    ]);
    expect(stepsFor(anchor, app(stranded(false)))).toEqual(['re-create app in the network of anchor']);
  });

  it('is nobody’s business while it is set aside', () => {
    expect(stepsFor(anchor, app({ names: ['app.berth-0123456789abcdef.up'], isAside: true }))).toEqual([]);
  });
});

it('a container whose owner was restarted in place is restarted as well', () => {
  const owner = life('owner', { runningSince: '2026-01-01T00:00:09Z' });
  expect(stepsFor(owner, joining('app', owner))).toEqual(['restart app']);
});
