import { describe, expect, it } from 'vitest';
import { staleReport } from './stale-netns.ts';

const gone = (digit: string): string => digit.repeat(64);
const container = (
  name: string,
  networkMode: string,
  compose?: readonly [project: string, service: string],
) => ({
  id: name.padEnd(64, '0'),
  names: name === '' ? [] : [name],
  networkMode,
  labels:
    compose === undefined
      ? {}
      : { 'com.docker.compose.project': compose[0], 'com.docker.compose.service': compose[1] },
});

describe('doctor stale-netns', () => {
  it('says when there is nothing to say', () => {
    const alive = container('owner', 'bridge');
    const all = [alive, container('guest', `container:${alive.id}`), container('other', 'host')];
    expect(staleReport(all)).toBe('No dead-netns dependents found.\n');
  });

  it('groups by target, in one order, with the way back where Compose knows one', () => {
    const all = [
      container('zeta', `container:${gone('b')}`, ['mail', 'zeta']),
      container('alpha', `container:${gone('b')}`),
      container('web', `container:${gone('a')}`, ['shop', 'web']),
      container('by-name', 'container:some-name'),
    ];
    const expected = `Found 4 dependent(s) in dead netns across 3 target(s):

  dead target: aaaaaaaaaaaa  (1 victim(s))
    web
      → docker compose -p shop up -d --no-deps --force-recreate web

  dead target: bbbbbbbbbbbb  (2 victim(s))
    alpha
    zeta
      → docker compose -p mail up -d --no-deps --force-recreate zeta

  dead target: some-name  (1 victim(s))
    by-name

`;
    expect(staleReport(all)).toBe(expected);
    expect(staleReport(all.toReversed())).toBe(expected);
  });

  it('takes a stopped target for one that lives, and shows an id where there is no name', () => {
    const nameless = { ...container('', `container:${gone('c')}`), id: gone('d') };
    expect(staleReport([nameless])).toContain('\n    dddddddddddd\n');
  });
});
