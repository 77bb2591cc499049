/** `ENOENT`, `EEXIST`, ...; undefined when it is no error of a system call. */
export function errnoCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
