/** What lies directly in a volume besides the folders that the image declares. */

/** Seeded from the image at each deployment, and never data of the tenant. */
export const scratchFolder = '_wp';

/** What old containers have of it, while an operation may still bring them back. */
export const scratchAside = (operation: string): string => `_wp-before-${operation}`;

/** The file that an xfs volume has besides. */
export const projectMarker = '.fred-project-id';

/** Names that an image cannot have in a volume. */
export const isReserved = (name: string): boolean =>
  name === scratchFolder || name.startsWith(scratchAside('')) || name.startsWith('.fred-');
