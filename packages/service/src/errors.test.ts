import { describe, expect, it } from 'vitest';
import { CodedError, ErrorTable } from './errors.ts';

const table = new ErrorTable({
  LINK_MISSING: { title: 'A link is missing', remedy: 'Check the name.' },
  LINK_BUSY: { title: 'A link is in use', remedy: 'Wait.' },
});

describe('ErrorTable', () => {
  it('makes errors that carry their code, the remedy, what they are about and their cause', () => {
    const cause = new Error('ENODEV');
    const error = table.error('LINK_MISSING', 'no link "eth9"', { cause, details: { link: 'eth9' } });
    expect(error).toMatchObject({
      code: 'LINK_MISSING',
      remedy: 'Check the name.',
      details: { link: 'eth9' },
      cause,
    });
    expect('cause' in table.error('LINK_BUSY', 'busy')).toBe(false);
  });

  it('knows its own errors from those of others, and one code from another', () => {
    const error: unknown = table.error('LINK_BUSY', 'busy');
    expect(table.is(error)).toBe(true);
    expect(table.is(error, 'LINK_BUSY')).toBe(true);
    expect(table.is(error, 'LINK_MISSING')).toBe(false);
    expect(table.is(new Error('busy'))).toBe(false);
    expect(table.is(new CodedError('toString', 'of no table', ''))).toBe(false);
  });
});
