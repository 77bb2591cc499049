/** What this package says in docs/reference. */
import type { PackageReference } from '@berth/service/reference';
import { engineErrors } from './errors.ts';

export const reference: PackageReference = { errors: [{ title: 'Docker', table: engineErrors.rows }] };
