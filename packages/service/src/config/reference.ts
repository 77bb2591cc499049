/** The reference of a schema, in Markdown and as JSON Schema. For the scripts that write docs/, not for programs. */

import { code, table } from '../reference/markdown.ts';
import type { Field, Fields, JsonSchema } from './kind.ts';
import { objectJsonSchema } from './object.ts';
import type { Schema } from './schema.ts';

export type DocumentedSchema = Pick<Schema, 'title' | 'about' | 'fields' | 'ignored'>;

/** A heading, the introduction, a table with one row a setting. */
export function markdownReference(schema: DocumentedSchema, level = 2): string {
  const rows = [...rowsOf(schema.fields, '')];
  const ignored = Object.entries(schema.ignored);
  return [
    `${'#'.repeat(level)} ${schema.title}`,
    schema.about,
    table(['Setting', 'Type', 'Default', 'Meaning'], rows),
    ...(ignored.length === 0
      ? []
      : [
          'Passed over in silence:',
          table(
            ['Setting', 'Why'],
            ignored.map(([key, why]) => [code(key), why]),
          ),
        ]),
    '',
  ].join('\n\n');
}

function* rowsOf(fields: Fields, prefix: string): Generator<readonly string[]> {
  for (const field of Object.values(fields)) {
    const key = `${prefix}${field.key}`;
    yield [code(key), field.kind.title, defaultOf(field), meaningOf(field)];
    const { inside } = field.kind;
    if (inside !== undefined) yield* rowsOf(inside.fields, `${key}.${inside.perName ? '<name>.' : ''}`);
  }
}

function defaultOf({ required, defaultText }: Field<unknown>): string {
  if (required) return '**required**';
  if (defaultText === undefined) return '—';
  return defaultText === '' ? 'empty' : code(defaultText);
}

const meaningOf = ({ about, env }: Field<unknown>): string =>
  env === undefined ? about : `${about} ${code(env.variable)} beats the file.`;

/** JSON Schema (2020-12) of a file: for editors, and for those who check a file before they roll it out. */
export function jsonSchemaOf(schema: DocumentedSchema, id: string): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: id,
    title: schema.title,
    description: schema.about,
    ...objectJsonSchema(schema.fields),
  };
}
