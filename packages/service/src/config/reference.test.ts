import { describe, expect, it } from 'vitest';
import {
  boolean,
  duration,
  integer,
  object,
  optional,
  record,
  required,
  schema,
  secret,
  section,
  text,
} from './index.ts';
import { jsonSchemaOf, markdownReference } from './reference.ts';

const example = schema({
  title: 'Example',
  about: 'Settings of a test.',
  fields: {
    pollMs: optional('poll', duration(), { default: 90_000, about: 'How often | how long.' }),
    host: optional('host', text(), {
      about: 'The host.',
      shownDefault: 'the container name',
      env: { variable: 'EX_HOST' },
    }),
    token: required('token', secret({ minLength: 4 }), { about: 'Signs.' }),
    sizes: required(
      'sizes',
      record(object({ fields: { cores: required('cores', integer({ min: 1 }), { about: 'Cores.' }) } })),
      {
        about: 'Sizes.',
      },
    ),
    ingress: section(
      'ingress',
      { fields: { on: optional('on', boolean(), { default: false, about: 'On.' }) } },
      'Names.',
    ),
  },
  ignored: { old: 'gone' },
});

describe('the reference of a schema', () => {
  it('lists every setting with its type, default and meaning, and those inside others', () => {
    expect(markdownReference(example)).toBe(`## Example

Settings of a test.

| Setting | Type | Default | Meaning |
|---|---|---|---|
| \`poll\` | duration | \`1m30s\` | How often \\| how long. |
| \`host\` | text | \`the container name\` | The host. \`EX_HOST\` beats the file. |
| \`token\` | secret text | **required** | Signs. |
| \`sizes\` | map name → map | **required** | Sizes. |
| \`sizes.<name>.cores\` | integer | **required** | Cores. |
| \`ingress\` | map | — | Names. |
| \`ingress.on\` | boolean | \`false\` | On. |

Passed over in silence:

| Setting | Why |
|---|---|
| \`old\` | gone |

`);
  });

  it('is a JSON Schema, too', () => {
    expect(jsonSchemaOf(example, 'https://example.test/schema.json')).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      required: ['token', 'sizes'],
      properties: {
        poll: { type: ['string', 'integer'], description: 'How often | how long. Default: `1m30s`.' },
        token: { minLength: 4 },
        sizes: {
          additionalProperties: {
            properties: { cores: { type: 'integer', minimum: 1 } },
            required: ['cores'],
          },
        },
        ingress: { properties: { on: { type: 'boolean' } } },
      },
    });
  });
});
