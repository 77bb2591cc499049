import { Refused } from './answer.ts';
import { canonicalUuid } from './uuid.ts';

const largestPage = 5000;
const mostLookups = 100;
const usualTail = 100;
const longestTail = 10_000;

/** How many lines of each container. */
export function tailFrom(query: URLSearchParams): number {
  const written = query.get('tail');
  if (written === null || written === '') return usualTail;
  const tail = /^\+?\d+$/.test(written) ? Number(written) : 0;
  if (tail < 1) throw new Refused(400, 'tail must be a positive integer');
  if (tail > longestTail) throw new Refused(400, `tail must not exceed ${longestTail}`);
  return tail;
}

export interface PageWish {
  /** The page begins after this id. */
  readonly after: string;
  /** 0: everything. */
  readonly limit: number;
}

export function pageFrom(query: URLSearchParams): PageWish {
  const limit = limitFrom(query.get('limit') ?? '');
  const cursor = query.get('continue') ?? '';
  if (cursor === '') return { after: '', limit };
  const after = canonicalUuid(cursor);
  if (after === undefined) throw new Refused(400, `continue ${JSON.stringify(cursor)} is not a UUID`);
  if (limit === 0) throw new Refused(400, `continue ${JSON.stringify(cursor)} needs a positive limit`);
  return { after, limit };
}

function limitFrom(written: string): number {
  if (written === '') return 0;
  if (!/^\+?\d+$/.test(written))
    throw new Refused(400, `limit ${JSON.stringify(written)} is not a non-negative integer`);
  return Math.min(Number(written), largestPage);
}

/** The ids that are asked for; undefined when it is no lookup. */
export function lookupFrom(query: URLSearchParams): readonly string[] | undefined {
  const written = query.getAll('lease_uuid');
  if (!query.has('lease_uuid')) return undefined;
  if (written.length > mostLookups)
    throw new Refused(400, `lease_uuid count must be between 1 and ${mostLookups}`);
  return written.map((text) => {
    const uuid = canonicalUuid(text);
    if (uuid === undefined) throw new Refused(400, 'invalid lease_uuid');
    return uuid;
  });
}
