/** What this package says in docs/reference. */
import type { PackageReference } from '@berth/service/reference';
import { errors } from './errors.ts';

export const reference: PackageReference = { errors: [{ title: 'The backend', table: errors.rows }] };
