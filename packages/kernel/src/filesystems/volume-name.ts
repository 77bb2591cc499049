import { filesystemErrors } from './errors.ts';

const plain = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

/** Names reach `rm` and tools with root's rights: one plain path component, or nothing happens. */
export function checkName(name: string): void {
  if (!plain.test(name)) {
    throw filesystemErrors.error(
      'BAD_VOLUME_NAME',
      `${JSON.stringify(name)} cannot be the name of a volume`,
      {
        details: { name },
      },
    );
  }
}

export function checkSize(name: string, sizeMb: number): void {
  if (!Number.isSafeInteger(sizeMb) || sizeMb < 1) {
    throw filesystemErrors.error('BAD_SIZE', `the size of volume ${name} cannot be ${sizeMb} MiB`, {
      details: { name },
    });
  }
}
