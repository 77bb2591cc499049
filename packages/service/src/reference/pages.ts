/** The pages of docs/reference that are made from tables of all packages. */
import { jsonSchemaOf, markdownReference } from '../config/reference.ts';
import type { Message } from '../log/index.ts';
import type { Family, LabelSpec } from '../metrics/index.ts';
import { code, page, table } from './markdown.ts';
import type { PackageReference, SettingsPage, Titled } from './package-reference.ts';

const ORIGIN =
  'Made from the tables that the programs run on; `npm run fix` writes it anew, and `npm run check` fails when it is out of date.';

/** File name → content. */
export type ReferencePages = ReadonlyMap<string, string>;

/** Everything that the packages say, brought together by subject. A subject that nobody speaks of has no page. */
export function referencePages(packages: readonly PackageReference[]): ReferencePages {
  const pages = new Map<string, string>();
  const add = (file: string, text: string | undefined): void => {
    if (pages.has(file)) throw new RangeError(`two pages of reference want to be ${file}`);
    if (text !== undefined) pages.set(file, text);
  };
  add('errors.md', errorsPage(packages.flatMap(({ errors = [] }) => errors)));
  add('log-messages.md', messagesPage(packages.flatMap(({ messages = [] }) => messages)));
  add('metrics.md', metricsPage(packages.flatMap(({ metrics = [] }) => metrics)));
  for (const settings of packages.flatMap((reference) => reference.settings ?? [])) {
    add(`${settings.name}.md`, settingsPage(settings));
    if (settings.source === 'file') add(`${settings.name}.schema.json`, settingsSchema(settings));
  }
  for (const [file, text] of packages.flatMap((reference) => Object.entries(reference.pages ?? {})))
    add(file, text);
  return pages;
}

function sections<T>(
  title: string,
  about: string,
  tables: readonly Titled<T>[],
  render: (table: T) => string,
): string | undefined {
  if (tables.length === 0) return undefined;
  const parts = tables.flatMap((titled) => [`## ${titled.title}`, render(titled.table)]);
  return page(`# ${title}`, about, ORIGIN, ...parts);
}

type Errors = NonNullable<PackageReference['errors']>;

const errorsPage = (tables: Errors): string | undefined =>
  sections(
    'Errors',
    'Each error has a code that stays; match on the code, never on the text.',
    tables,
    (rows) =>
      table(
        ['Code', 'What went wrong', 'What to do'],
        Object.entries(rows).map(([name, { title, remedy }]) => [code(name), title, remedy]),
      ),
  );

type Messages = NonNullable<PackageReference['messages']>;

const messagesPage = (tables: Messages): string | undefined =>
  sections(
    'Log messages',
    'The exact texts of `msg`, with the attributes of each line. An attribute in parentheses is not always there.',
    tables,
    (messages) =>
      table(['Level', 'Message', 'Attributes', 'Meaning'], Object.values(messages).map(messageRow)),
  );

function messageRow({ level, msg, attrs, meaning }: Message): readonly string[] {
  const names = attrs.map((attr) => (attr.endsWith('?') ? `(${code(attr.slice(0, -1))})` : code(attr)));
  return [level.toUpperCase(), code(msg), names.join(', '), meaning];
}

type Metrics = NonNullable<PackageReference['metrics']>;

const metricsPage = (tables: Metrics): string | undefined =>
  sections(
    'Metrics',
    'All families with their labels; a label takes only the listed values, so the number of series is bounded.',
    tables,
    (families) => table(['Name', 'Type', 'Labels', 'Meaning'], Object.values(families).map(metricRow)),
  );

function metricRow({ name, type, labels, help, buckets }: Family): readonly string[] {
  const listed = Object.entries(labels).map(([label, spec]) => `${code(label)}: ${labelValues(spec)}`);
  const shown = buckets.length === 0 ? type : `${type}, buckets ${buckets.join(' ')}`;
  return [code(name), shown, listed.join('; '), help];
}

const labelValues = (spec: LabelSpec): string =>
  'atMost' in spec ? `up to ${spec.atMost} values` : spec.map(code).join(' ');

const settingsPage = ({ title, about, schemas }: SettingsPage): string =>
  page(`# ${title}`, about, ORIGIN, ...schemas.map((schema) => markdownReference(schema)));

function settingsSchema({ name, title, schemas }: SettingsPage): string {
  const [schema, ...others] = schemas;
  if (schema === undefined || others.length > 0)
    throw new RangeError(`${name}: a file has exactly one schema`);
  return `${JSON.stringify(jsonSchemaOf({ ...schema, title }, `${name}.schema.json`), null, 2)}\n`;
}
