import type { DocumentedSchema } from '../config/reference.ts';
import type { ErrorRow } from '../errors.ts';
import type { MessageTable } from '../log/index.ts';
import type { MetricTable } from '../metrics/index.ts';

/** One table of something, under a heading that names where it belongs. */
export interface Titled<Table> {
  readonly title: string;
  readonly table: Table;
}

export interface SettingsPage {
  /** Name of the file without its ending: `anchord-settings`. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly schemas: readonly DocumentedSchema[];
  /** Is it a file that people write (then there is a JSON Schema of it, too) or an environment? */
  readonly source: 'environment' | 'file';
}

/**
 * What a package has to say in docs/reference. A package that has something exports it as `reference` from its
 * `src/reference.ts`; the script that writes the pages finds it there.
 */
export interface PackageReference {
  readonly errors?: readonly Titled<Readonly<Record<string, ErrorRow>>>[];
  readonly messages?: readonly Titled<MessageTable>[];
  readonly metrics?: readonly Titled<MetricTable>[];
  readonly settings?: readonly SettingsPage[];
  /** Whole pages, by the names of their files: made by the package itself from a table of its own. */
  readonly pages?: Readonly<Record<string, string>>;
}
