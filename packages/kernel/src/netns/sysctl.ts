/** The kernel's network settings (/proc/sys/net) of a namespace. */
import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { errnoError, kernelErrors } from '../errors.ts';
import { Netns } from './netns.ts';

/**
 * Reads a setting. `name` is its path below /proc/sys/net with slashes (`ipv4/ip_forward`,
 * `ipv4/conf/eth0.5/rp_filter`): dots stand in the names of links, too. Nothing where there is no such setting.
 */
export function readSysctl(name: string, namespace: Netns = Netns.own): string | undefined {
  const path = pathOf(name);
  try {
    return namespace.run(() => readFileSync(path, 'utf8')).trim();
  } catch (error) {
    if (errnoIn(error) === constants.errno.ENOENT) return undefined;
    throw failure(error, `reading ${path} in ${namespace.name}`, path);
  }
}

/** Writes a setting. In a container /proc/sys is often read-only: then this throws KERNEL_NOT_PERMITTED. */
export function writeSysctl(name: string, value: string | number, namespace: Netns = Netns.own): void {
  const path = pathOf(name);
  try {
    namespace.run(() => writeFileSync(path, `${value}`, { flag: 'r+' }));
  } catch (error) {
    throw failure(error, `writing ${path} in ${namespace.name}`, path);
  }
}

function pathOf(name: string): string {
  const parts = name.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..') || name.includes('\0')) {
    throw kernelErrors.error('KERNEL_BAD_VALUE', `${JSON.stringify(name)} is not the name of a setting`, {
      details: { value: name },
    });
  }
  return `/proc/sys/net/${name}`;
}

function errnoIn(error: unknown): number | undefined {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number'
    ? -error.errno
    : undefined;
}

function failure(error: unknown, what: string, path: string): unknown {
  const errno = errnoIn(error);
  return errno === undefined ? error : errnoError(errno, what, { details: { path } });
}
