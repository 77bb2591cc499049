/** What a tenant may be told. The texts end up on a public chain: they are all here, and none is made from engine output. */

export const reasons = [
  'ContainerExited',
  'ImagePullFailed',
  'Internal',
  'RestartFailed',
  'UpdateFailed',
  'RestoreFailed',
  'CleanupFailed',
  'VolumeCleanupExhausted',
  'Unknown',
] as const;

export type Reason = (typeof reasons)[number];

export const failureText = {
  canceled: 'provisioning canceled',
  imagePull: 'image pull failed',
  imageInspect: 'image inspect failed',
  network: 'tenant network setup failed',
  volume: 'volume creation failed',
  create: 'container creation failed',
  exitedDuringStartup: 'container exited during startup',
  unhealthy: 'container reported unhealthy',
  exitedDuringHealthCheck: 'container exited during health check',
  verificationCanceled: 'container startup verification canceled',
  exitedUnexpectedly: 'container exited unexpectedly',
  restart: 'restart failed',
  update: 'update failed',
  restore: 'restore failed',
  internal: 'internal error',
  cleanup: 'cleanup failed',
  volumeCleanup: 'volume cleanup exhausted',
} as const;

export type FailureText = (typeof failureText)[keyof typeof failureText];

export const rolledBack = '; rolled back to previous version';
export const rollbackFailed = '; rollback failed';

/** A longer text makes the transaction that carries it fail, again and again. */
const longestError = 256;

/** Cut to the limit in bytes, never inside a character. */
export function cutError(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= longestError) return text;
  let end = longestError - 3;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${new TextDecoder().decode(bytes.subarray(0, end))}...`;
}
