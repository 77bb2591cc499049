import { engineErrors } from '../errors.ts';

/** Docker's API versions are two numbers; the first has been 1 for ever. */
export interface ApiVersion {
  readonly major: number;
  readonly minor: number;
}

export function parseApiVersion(text: string): ApiVersion | undefined {
  const match = /^v?(\d{1,3})\.(\d{1,4})$/.exec(text.trim());
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}

export const formatApiVersion = ({ major, minor }: ApiVersion): string => `${major}.${minor}`;

/** Whether `version` is `other` or newer. */
export const atLeast = (version: ApiVersion, other: ApiVersion): boolean =>
  version.major > other.major || (version.major === other.major && version.minor >= other.minor);

/** Engine 20.10. */
const OLDEST: ApiVersion = { major: 1, minor: 41 };
/**
 * Newer engines are asked in this version all the same: it is the last one in which an inspection tells the MAC address
 * that was asked for from the one that was given, and every engine since serves it.
 */
const NEWEST: ApiVersion = { major: 1, minor: 51 };

/** What to speak with an engine whose newest version is `offered`. */
export function negotiate(offered: string | undefined, where: string): ApiVersion {
  const theirs = parseApiVersion(offered ?? '');
  if (theirs === undefined)
    throw engineErrors.error(
      'ENGINE_ANSWER',
      `${where} does not say its API version: is it a Docker engine? (Api-Version: ${offered ?? 'absent'})`,
    );
  if (!atLeast(theirs, OLDEST))
    throw engineErrors.error(
      'ENGINE_API_VERSION',
      `${where} speaks API ${formatApiVersion(theirs)}, we speak ${formatApiVersion(OLDEST)} and newer`,
    );
  return atLeast(theirs, NEWEST) ? NEWEST : theirs;
}
