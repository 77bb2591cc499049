import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deadNamespaces, type NamespaceMember, recoveryCommand, shownName } from './dead-namespaces.ts';
import { isBefore, nanosecondsOf } from './start-time.ts';

const member = (name: string, networkMode = 'bridge', runningSince?: string): NamespaceMember => ({
  id: Buffer.from(name).toString('hex').padEnd(64, '0'),
  names: [name],
  labels: {},
  networkMode,
  runningSince,
});
const dead = (...all: NamespaceMember[]) =>
  deadNamespaces(all, all).map(({ container, why }) => [shownName(container), why]);

const early = '2026-01-01T00:00:00.1Z';
const late = '2026-01-01T00:00:00.100000001Z';

describe('a container in the namespace of another one', () => {
  const owner = member('owner-of-it', 'bridge', early);

  it.each([
    ['its id', owner.id],
    ['the beginning of its id', owner.id.slice(0, 12)],
    ['its name', 'owner-of-it'],
    ['its name with a slash', '/owner-of-it'],
  ])('is fine as long as the owner is there by %s', (_, reference) => {
    expect(dead(owner, member('app', `container:${reference}`, late))).toEqual([]);
  });

  it('is dead when the owner is gone, or has become another container', () => {
    expect(dead(member('app', `container:${owner.id}`, early))).toEqual([['app', 'owner gone']]);
    const successor = { ...owner, id: 'f'.repeat(64) };
    expect(dead(successor, member('app', `container:${owner.id}`))).toEqual([['app', 'owner gone']]);
    expect(dead(successor, member('app', 'container:owner-of-it'))).toEqual([]);
  });

  it('is dead when the owner was started after it, by a nanosecond or a day', () => {
    const restarted = { ...owner, runningSince: late };
    expect(dead(restarted, member('app', `container:${owner.id}`, early))).toEqual([
      ['app', 'owner restarted'],
    ]);
    const nextDay = { ...owner, runningSince: '2026-01-02T00:00:00+01:00' };
    expect(dead(nextDay, member('app', `container:${owner.id}`, late))).toEqual([['app', 'owner restarted']]);
  });

  it('is not judged by times that nobody knows, nor while either of the two does not run', () => {
    const stopped = { ...owner, runningSince: undefined };
    expect(dead(stopped, member('app', `container:${owner.id}`, early))).toEqual([]);
    expect(dead(owner, member('app', `container:${owner.id}`))).toEqual([]);
    expect(dead({ ...owner, runningSince: 'soon' }, member('app', `container:${owner.id}`, early))).toEqual(
      [],
    );
  });

  it('is not judged by modes that share nothing, nor by a reference that could mean two', () => {
    const modes = ['bridge', 'host', 'none', 'container:', 'container: ', 'my_network', ''];
    expect(dead(...modes.map((mode, at) => member(`app${at}`, mode)))).toEqual([]);
    const twins = ['1', '2'].map((end) => ({
      ...owner,
      id: `${'a'.repeat(63)}${end}`,
      names: [`twin${end}`],
    }));
    expect(dead(...twins, member('app', `container:${'a'.repeat(12)}`))).toEqual([]);
  });

  it('tells how Compose makes it anew, where Compose can', () => {
    const labels = { 'com.docker.compose.project': 'mail', 'com.docker.compose.service': 'smtp' };
    expect(recoveryCommand(labels)).toBe('docker compose -p mail up -d --no-deps --force-recreate smtp');
    expect(recoveryCommand({ 'com.docker.compose.project': 'mail' })).toBeUndefined();
    expect(recoveryCommand({})).toBeUndefined();
    expect(shownName({ id: 'abcdef0123456789', names: [] })).toBe('abcdef012345');
  });
});

describe('a time of Docker', () => {
  it('keeps its nanoseconds, with fractions of every length', () => {
    expect(nanosecondsOf('1970-01-01T00:00:01.5Z')).toBe(1_500_000_000n);
    expect(nanosecondsOf('1970-01-01T01:00:00.000000001+01:00')).toBe(1n);
    expect(nanosecondsOf('never')).toBeUndefined();
    const time = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n });
    const written = (at: bigint): string => {
      const seconds = new Date(Number(at / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
      const fraction = String(at % 1_000_000_000n)
        .padStart(9, '0')
        .replace(/0+$/, '');
      return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
    };
    fc.assert(
      fc.property(time, time, (one, other) => {
        expect(nanosecondsOf(written(one))).toBe(one);
        expect(isBefore(written(one), written(other))).toBe(one < other);
      }),
    );
  });
});
