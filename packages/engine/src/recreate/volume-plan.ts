import { posix } from 'node:path';
import type { HostConfig, Mount } from '@docker/node-sdk';
import type { ContainerDetails } from '../containers/index.ts';

const clean = (path: string): string => posix.join('/', path).replace(/(.)\/$/, '$1');

/** "source:target[:mode]"; "/target" alone is an anonymous volume. */
function parseBind(bind: string): { readonly source: string; readonly target: string } {
  const [first = '', second] = bind.split(':');
  return second === undefined
    ? { source: '', target: clean(first) }
    : { source: first, target: clean(second) };
}

/**
 * The old container's anonymous volumes, mounted by their names, so that the new one goes on with the same data. What the
 * image has at that place is not copied into them again.
 */
export function planVolumes(old: ContainerDetails): Pick<HostConfig, 'Binds' | 'Mounts'> {
  const binds = old.hostConfig.Binds ?? [];
  const mounts = old.hostConfig.Mounts ?? [];
  const named = new Set([
    ...binds
      .map(parseBind)
      .filter(({ source }) => source !== '')
      .map(({ target }) => target),
    ...mounts.filter(({ Source }) => (Source ?? '') !== '').map(({ Target }) => clean(Target ?? '')),
  ]);
  const anonymous = old.mounts.filter(
    ({ type, name, target }) => type === 'volume' && name !== undefined && !named.has(clean(target)),
  );
  if (anonymous.length === 0) return { Binds: binds, Mounts: mounts };
  const kept = anonymous.map(
    ({ name = '', target, writable }): Mount => ({
      Type: 'volume',
      Source: name,
      Target: target,
      ReadOnly: !writable,
      VolumeOptions: { NoCopy: true },
    }),
  );
  const replaced = new Set(anonymous.map(({ target }) => clean(target)));
  return {
    Binds: binds.filter((bind) => !replaced.has(parseBind(bind).target)),
    Mounts: [...mounts.filter(({ Target }) => !replaced.has(clean(Target ?? ''))), ...kept],
  };
}
