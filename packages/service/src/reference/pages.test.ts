import { describe, expect, it } from 'vitest';
import { optional, schema, text } from '../config/index.ts';
import { message } from '../log/index.ts';
import { counter, histogram } from '../metrics/index.ts';
import { type PackageReference, referencePages } from './index.ts';

const settings = schema({
  title: 'All modes',
  about: 'Read in every mode.',
  fields: { mode: optional('MODE', text(), { default: 'a', about: 'The mode.' }) },
});

const kernel: PackageReference = {
  errors: [{ title: 'Linux', table: { KERNEL_BUSY: { title: 'In use | busy', remedy: 'Wait.' } } }],
  messages: [{ title: 'Life', table: { bye: message('info', 'bye', ['signal', 'err?'], 'The end.') } }],
};
const anchord: PackageReference = {
  errors: [{ title: 'Anchord', table: { NO_PROJECT: { title: 'No project', remedy: 'Set one.' } } }],
  metrics: [
    {
      title: 'Anchord',
      table: {
        total: counter('x_total', 'Xs.', { labels: { result: ['ok', 'error'], route: { atMost: 5 } } }),
        seconds: histogram('x_seconds', 'How long.', { buckets: [0.5, 1] }),
      },
    },
  ],
  settings: [
    {
      name: 'anchord-settings',
      title: 'Settings of anchord',
      about: 'Variables.',
      schemas: [settings],
      source: 'environment',
    },
    {
      name: 'backend-settings',
      title: 'Settings of the backend',
      about: 'YAML.',
      schemas: [settings],
      source: 'file',
    },
  ],
};

describe('the pages of reference', () => {
  const pages = referencePages([kernel, {}, anchord]);

  it('bring together what all packages say of a subject, in tables', () => {
    const errors = pages.get('errors.md');
    expect(errors).toMatch(/^# Errors\n/);
    expect(errors).toContain(
      '## Linux\n\n| Code | What went wrong | What to do |\n|---|---|---|\n| `KERNEL_BUSY` | In use \\| busy | Wait. |\n\n## Anchord',
    );
    expect(pages.get('log-messages.md')).toContain('| INFO | `bye` | `signal`, (`err`) | The end. |');
    expect(pages.get('metrics.md')).toContain(
      '| `x_total` | counter | `result`: `ok` `error`; `route`: up to 5 values | Xs. |',
    );
    expect(pages.get('metrics.md')).toContain('| `x_seconds` | histogram, buckets 0.5 1 |  | How long. |');
    expect(pages.get('anchord-settings.md')).toContain('## All modes\n\nRead in every mode.\n\n| Setting |');
  });

  it('have a JSON Schema beside the settings of a file, and only there', () => {
    expect(JSON.parse(pages.get('backend-settings.schema.json') ?? '')).toMatchObject({
      title: 'Settings of the backend',
      properties: { MODE: { description: 'The mode. Default: `a`.' } },
    });
    expect(pages.has('anchord-settings.schema.json')).toBe(false);
  });

  it('are not there for a subject that nobody speaks of, and never twice', () => {
    expect([...referencePages([kernel]).keys()]).toEqual(['errors.md', 'log-messages.md']);
    expect(() => referencePages([anchord, { settings: anchord.settings ?? [] }])).toThrow('two pages');
  });
});
