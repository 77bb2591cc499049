import { errnoOf } from '../errors.ts';

/** Asks; answers `absent` where the kernel says, by one of these errnos, that it is not there. */
export function unlessAbsent<T>(ask: () => T, absent: T, errnos: readonly string[]): T {
  try {
    return ask();
  } catch (error) {
    if (errnos.includes(errnoOf(error) ?? '')) return absent;
    throw error;
  }
}

/** Removes something; says whether it was there. */
export function removeIfPresent(remove: () => unknown, errnos: readonly string[]): boolean {
  return unlessAbsent(
    () => {
      remove();
      return true;
    },
    false,
    errnos,
  );
}
