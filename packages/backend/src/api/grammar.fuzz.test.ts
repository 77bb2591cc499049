import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refused } from './answer.ts';
import { firstJsonValue } from './json-body.ts';
import { lookupFrom, pageFrom, tailFrom } from './query.ts';
import { findRoute, splitTarget } from './router.ts';
import { routes } from './routes.ts';
import { canonicalUuid } from './uuid.ts';

/** What comes of it, or the status of the refusal; any other failure is a failure. */
function answered<T>(act: () => T): T | number {
  try {
    return act();
  } catch (error) {
    if (error instanceof Refused) return error.answer.status;
    throw error;
  }
}

const blanks = fc.stringMatching(/^[ \t\r\n]{0,3}$/);

describe('the first JSON value', () => {
  it('of an object or array is that, whatever follows it', () => {
    const value = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(blanks, value, fc.string({ unit: 'binary' }), (before, written, after) => {
        const text = JSON.stringify(written);
        expect(JSON.stringify(firstJsonValue(`${before}${text}${after}`))).toBe(
          JSON.stringify(JSON.parse(text)),
        );
      }),
    );
  });

  it('of any text is a value that the text begins with, or a syntax error', () => {
    const pieces = fc
      .array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '1', 'null', ' ', 'a'), {
        maxLength: 20,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(pieces, fc.string()), (text) => {
        const ends = Array.from({ length: text.length }, (_, index) => text.slice(0, index + 1));
        const wanted = ends.filter((part) => {
          try {
            JSON.parse(part);
            return true;
          } catch {
            return false;
          }
        });
        try {
          const found = JSON.stringify(firstJsonValue(text));
          expect(wanted.map((part) => JSON.stringify(JSON.parse(part)))).toContain(found);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
          // A lone number or word needs the whole text; what has brackets is found in it.
          expect(wanted.filter((part) => /[\]}]\s*$/.test(part) && /^\s*[[{]/.test(part))).toEqual([]);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a UUID', () => {
  it('is known in every usual spelling, and written in one', () => {
    const spelling = fc.constantFrom(
      (uuid: string) => uuid,
      (uuid: string) => uuid.toUpperCase(),
      (uuid: string) => uuid.replaceAll('-', ''),
      (uuid: string) => `{${uuid}}`,
      (uuid: string) => `urn:uuid:${uuid}`,
    );
    fc.assert(
      fc.property(fc.uuid(), spelling, (uuid, spelled) => {
        expect(canonicalUuid(spelled(uuid))).toBe(uuid);
      }),
    );
  });

  it('is nothing else', () => {
    const near = fc.stringMatching(/^[{]?(urn:uuid:)?[0-9a-fA-F-]{30,38}[}]?$/);
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        const uuid = canonicalUuid(text);
        if (uuid === undefined) return;
        expect(uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        expect(text.toLowerCase().replace(/urn:uuid:|[{}-]/g, '')).toBe(uuid.replaceAll('-', ''));
      }),
      { numRuns: 500 },
    );
  });
});

describe('any query', () => {
  const word = fc.oneof(
    fc.integer().map(String),
    fc.uuid(),
    fc.constantFrom(
      '',
      '0',
      '1',
      '+5',
      '-1',
      '1e3',
      '0x10',
      '1.0',
      '5001',
      '10000',
      '10001',
      '99999999999999999999',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  const query = fc
    .array(fc.tuple(fc.constantFrom('limit', 'continue', 'tail', 'lease_uuid', 'x'), word), { maxLength: 4 })
    .map((pairs) => new URLSearchParams(pairs));

  it('gives a page within its bounds, or 400', () => {
    fc.assert(
      fc.property(query, (asked) => {
        const page = answered(() => pageFrom(asked));
        if (typeof page === 'number') {
          expect(page).toBe(400);
          return;
        }
        const { after, limit } = page;
        expect(Number.isInteger(limit) && limit >= 0 && limit <= 5000).toBe(true);
        if (after === '') return;
        expect(limit).toBeGreaterThan(0);
        expect(canonicalUuid(after)).toBe(after);
      }),
    );
  });

  it('gives a tail within its bounds, ids that are canonical, or 400', () => {
    fc.assert(
      fc.property(query, (asked) => {
        const tail = answered(() => tailFrom(asked));
        if (tail !== 400) expect(Number.isInteger(tail) && tail >= 1 && tail <= 10_000).toBe(true);
        const ids = answered(() => lookupFrom(asked));
        if (typeof ids === 'number') expect(ids).toBe(400);
        else if (ids === undefined) expect(asked.has('lease_uuid')).toBe(false);
        else expect(ids.map(canonicalUuid)).toEqual(ids);
      }),
    );
  });
});

describe('any path', () => {
  const open = routes.filter(({ path }) => path.includes('{'));

  it('with any one segment in the place that a route leaves open leads there, decoded', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...open),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        (route, segment) => {
          const path = route.path.replace(/\{\w+\}/, encodeURIComponent(segment));
          expect(findRoute(routes, route.method, splitTarget(`${path}?x`).path)).toEqual({
            kind: 'route',
            route,
            segment,
          });
        },
      ),
    );
  });

  it('that is none of them is unknown, and breaks nothing', () => {
    const known = new Set(routes.map(({ path }) => path.split('/')[1]));
    const segment = fc.oneof(
      fc.constantFrom(...known, '', '..', '%', '%zz', '%2F', '{lease_uuid}'),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.array(segment, { maxLength: 4 }),
        fc.constantFrom('GET', 'POST', 'PUT'),
        (parts, method) => {
          const { path } = splitTarget(`/${parts.join('/')}`);
          const found = findRoute(routes, method, path);
          if (found.kind !== 'route') return;
          expect(path.split('/').length).toBe(found.route.path.split('/').length);
          expect(path.startsWith(found.route.path.replace(/\{\w+\}$/, ''))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
