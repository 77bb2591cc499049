/** Statements that are one expression. */
import type { Expression, Family, RejectReason, Statement, TimeUnit } from '../model/index.ts';
import { LIMIT_OVER, LOG_LEVELS, limitTypes, rejections, UNIT_SECONDS } from './kernel-numbers.ts';
import { type Reading, reading } from './reading.ts';

type Of<K extends Expression['is']> = Extract<Expression, { readonly is: K }>;

export function raiseAction(family: Family, [expression]: readonly Expression[]): Reading | undefined {
  const statement = expression === undefined ? undefined : raise(family, expression);
  return statement === undefined ? undefined : reading(1, statement);
}

function raise(family: Family, expression: Expression): Statement | undefined {
  switch (expression.is) {
    case 'verdict':
      return { kind: 'verdict', verdict: expression.verdict };
    case 'counter': {
      const { packets, bytes } = expression;
      return packets === 0 && bytes === 0
        ? { kind: 'counter' }
        : { kind: 'counter', tally: { packets, bytes } };
    }
    case 'objref':
      return { kind: 'counter', name: expression.name };
    case 'limit':
      return raiseLimit(expression);
    case 'log':
      return raiseLog(expression);
    case 'reject':
      return raiseReject(family, expression);
    case 'notrack':
      return { kind: 'notrack' };
    default:
      return undefined;
  }
}

/** The name under which a table knows a value. */
function nameIn<Name extends string, Value>(
  table: Readonly<Record<Name, Value>>,
  is: (value: Value) => boolean,
): Name | undefined {
  for (const name in table) {
    if (is(table[name])) return name;
  }
  return undefined;
}

function raiseLimit({ rate, unitSeconds, burst, type, flags }: Of<'limit'>): Statement | undefined {
  const per = nameIn<TimeUnit, number>(UNIT_SECONDS, (seconds) => seconds === unitSeconds);
  const of = nameIn<'packets' | 'bytes', number>(limitTypes, (number) => number === type);
  if (per === undefined || of === undefined) return undefined;
  return { kind: 'limit', rate, per, of, burst, over: flags === LIMIT_OVER };
}

function raiseLog({ prefix, level, group }: Of<'log'>): Statement | undefined {
  const named = LOG_LEVELS[level ?? -1];
  const to = group !== undefined ? { group } : named === undefined ? undefined : { level: named };
  if (to === undefined) return undefined;
  return { kind: 'log', ...(prefix === undefined ? {} : { prefix }), to };
}

function raiseReject(family: Family, { type, code }: Of<'reject'>): Statement | undefined {
  const reason = nameIn<RejectReason, (typeof rejections)[RejectReason]>(
    rejections,
    ({ [family]: row }) => row.type === type && row.code === code,
  );
  return reason === undefined ? undefined : { kind: 'reject', reason };
}
