import { kernelErrors } from '../../errors.ts';

/** A value that is refused deep inside says where it stands. */
export function concerning<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!kernelErrors.is(error, 'KERNEL_BAD_VALUE')) throw error;
    throw kernelErrors.error('KERNEL_BAD_VALUE', `${what}: ${error.message}`, {
      details: error.details,
      cause: error,
    });
  }
}
