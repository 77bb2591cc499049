/** Where in its volume an image finds what it declares as a volume. */
import { posix } from 'node:path';
import { errors } from '../errors.ts';
import { isReserved } from './layout.ts';

/**
 * The path in the volume, by its names; throws for one that cannot be there. What lies under the scratch folder would be
 * taken for scratch and destroyed with it.
 */
export function volumePath(declared: string): readonly string[] {
  const cleaned = posix.normalize(declared).replace(/^\/+|\/+$/g, '');
  const names = cleaned.split('/');
  if (cleaned === '' || cleaned === '.' || names[0] === '..' || cleaned.includes('\0'))
    throw errors.error(
      'volume_content',
      `the image declares the volume ${JSON.stringify(declared)}, which is no folder of its own`,
    );
  if (isReserved(names[0] ?? ''))
    throw errors.error(
      'volume_content',
      `the image declares the volume ${JSON.stringify(declared)}, a name that is reserved`,
    );
  return names;
}

/** Is the path one of these, or below one? By whole names: /data-extra is not below /data. */
export const isWithin = (path: string, parents: readonly string[]): boolean =>
  parents.some((parent) => {
    const base = posix.normalize(parent).replace(/\/+$/, '');
    return path === base || path.startsWith(`${base}/`);
  });
