/** What this package says in docs/reference. */
import type { PackageReference } from '@berth/service/reference';
import { kernelErrors } from './errors.ts';
import { filesystemErrors } from './filesystems/errors.ts';

export const reference: PackageReference = {
  errors: [
    { title: 'Linux', table: kernelErrors.rows },
    { title: 'File systems and quotas', table: filesystemErrors.rows },
  ],
};
