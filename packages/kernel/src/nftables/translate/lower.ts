/** From statements to the kernel's expressions. */
import {
  dataTypes,
  type Expression,
  type Family,
  fieldRow,
  knownAfter,
  type Limit,
  type Log,
  needsOfStatement,
  question,
  type Reject,
  type SetMark,
  type SetOrMap,
  type Statement,
  type UpdateSet,
  unmet,
  type VerdictLookup,
} from '../model/index.ts';
import { LIMIT_OVER, LOG_LEVELS, limitTypes, MARK_KEY, rejections, UNIT_SECONDS } from './kernel-numbers.ts';
import { lowerMatch } from './lower-match.ts';
import { lowerMasquerade, lowerNat, lowerProxy, lowerRedirect } from './lower-nat.ts';
import { load, loadAll } from './registers.ts';

/** The table around a rule, as far as its meaning depends on it. */
export interface Surroundings {
  readonly family: Family;
  readonly sets: readonly SetOrMap[];
}

export function lowerStatements(table: Surroundings, statements: readonly Statement[]): Expression[] {
  return statements.flatMap((statement, index) => {
    const known = knownAfter(table.family, statements.slice(0, index));
    const questions = unmet(needsOfStatement(table.family, statement), known).map(question);
    return [...questions, statement].flatMap((step) => lowerStatement(table, step));
  });
}

/** One statement by itself, without the questions that have to be asked before it. */
export function lowerStatement(table: Surroundings, statement: Statement): Expression[] {
  switch (statement.kind) {
    case 'match':
      return lowerMatch(table.family, statement);
    case 'verdict':
      return [{ is: 'verdict', verdict: statement.verdict }];
    case 'vmap':
      return lowerVerdictLookup(statement);
    case 'nat':
      return lowerNat(table, statement);
    case 'masquerade':
      return lowerMasquerade(statement);
    case 'redirect':
      return lowerRedirect(statement);
    case 'tproxy':
      return lowerProxy(statement);
    case 'reject':
      return [lowerReject(table.family, statement)];
    case 'counter':
      return statement.name === undefined
        ? [{ is: 'counter', ...(statement.tally ?? { packets: 0, bytes: 0 }) }]
        : [{ is: 'objref', type: 1, name: statement.name }];
    case 'limit':
      return [lowerLimit(statement)];
    case 'log':
      return [lowerLog(statement)];
    case 'set-mark':
      return lowerSetMark(statement);
    case 'update-set':
      return lowerUpdateSet(statement);
    case 'notrack':
      return [{ is: 'notrack' }];
    case 'opaque':
      return [...statement.expressions];
  }
}

function lowerVerdictLookup({ fields, map }: VerdictLookup): Expression[] {
  const key = fields.map((field) => fieldRow(field).type);
  const set = 'name' in map ? map : ({ key, data: 'verdict', content: map } as const);
  return [...loadAll(fields), { is: 'lookup', set, from: 0, into: 'verdict', negated: false }];
}

function lowerReject(family: Family, { reason }: Reject): Expression {
  return { is: 'reject', ...rejections[reason][family] };
}

function lowerLimit({ rate, per, of, burst, over }: Limit): Expression {
  return {
    is: 'limit',
    rate,
    unitSeconds: UNIT_SECONDS[per],
    burst,
    type: limitTypes[of],
    flags: over ? LIMIT_OVER : 0,
  };
}

function lowerLog({ prefix, to }: Log): Expression {
  return {
    is: 'log',
    ...(prefix === undefined ? {} : { prefix }),
    ...('group' in to ? { group: to.group } : { level: LOG_LEVELS.indexOf(to.level) }),
  };
}

function markBytes(value: number): Buffer {
  const bytes = Buffer.alloc(dataTypes.mark.bytes);
  dataTypes.mark.write(value, bytes, 0);
  return bytes;
}

function lowerSetMark({ of, to }: SetMark): Expression[] {
  const store: Expression =
    of === 'meta' ? { is: 'meta-set', key: MARK_KEY, from: 0 } : { is: 'ct-set', key: MARK_KEY, from: 0 };
  if ('copyOf' in to) return [load(`${to.copyOf} mark`, 0), store];
  const value = markBytes(to.value);
  if (to.mask === undefined) return [{ is: 'immediate', value: value.toString('hex'), into: 0 }, store];
  // The bits outside of the mask stay; those inside are cleared, and then set as wanted.
  const inside = markBytes(to.mask);
  const outside = inside.map((byte) => ~byte);
  const wanted = value.map((byte, index) => byte & (inside[index] ?? 0));
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return [
    load(`${of} mark`, 0),
    { is: 'bitwise', from: 0, into: 0, mask: hex(outside), xor: hex(wanted) },
    store,
  ];
}

function lowerUpdateSet({ how, set, fields, timeoutMs }: UpdateSet): Expression[] {
  return [
    ...loadAll(fields),
    {
      is: 'dynset',
      set,
      operation: how === 'add' ? 0 : 1,
      from: 0,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    },
  ];
}
