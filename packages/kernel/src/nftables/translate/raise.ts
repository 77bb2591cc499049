/**
 * From the kernel's expressions back to statements. Whatever is found has to say exactly the same when it is turned into
 * expressions again; what does not, and what has no word, stays opaque. So nothing is ever taken for what it is not.
 */
import { isDeepStrictEqual } from 'node:util';
import { kernelErrors } from '../../errors.ts';
import {
  answered,
  type Expression,
  knownAfter,
  needsOfStatement,
  type Statement,
  sameNeed,
  unmet,
} from '../model/index.ts';
import { lowerStatement, type Surroundings } from './lower.ts';
import { raiseAction } from './raise-action.ts';
import { raiseLoaded } from './raise-loaded.ts';
import { raiseTarget } from './raise-target.ts';
import type { Reading } from './reading.ts';

export function raiseStatements(table: Surroundings, expressions: readonly Expression[]): Statement[] {
  let statements: Statement[] = [];
  for (let at = 0; at < expressions.length; ) {
    const reading = raiseNext(table, statements, expressions.slice(at));
    at += reading.taken;
    statements = append(withoutQuestions(table, statements, reading.statement), reading.statement);
  }
  return statements;
}

function raiseNext(table: Surroundings, before: readonly Statement[], rest: readonly Expression[]): Reading {
  const known = knownAfter(table.family, before);
  const found = raiseAction(table.family, rest) ?? raiseTarget(rest) ?? raiseLoaded(table, known, rest);
  if (found !== undefined && says(table, found.statement, rest.slice(0, found.taken))) return found;
  return { statement: { kind: 'opaque', expressions: rest.slice(0, 1) }, taken: 1 };
}

function says(table: Surroundings, statement: Statement, expressions: readonly Expression[]): boolean {
  try {
    return isDeepStrictEqual(lowerStatement(table, statement), expressions);
  } catch (error) {
    if (kernelErrors.is(error, 'KERNEL_BAD_VALUE')) return false;
    throw error;
  }
}

/** The matches at the end that were only asked for the sake of the next statement belong to it. */
function withoutQuestions(
  { family }: Surroundings,
  statements: readonly Statement[],
  next: Statement,
): readonly Statement[] {
  const needs = needsOfStatement(family, next);
  for (let asked = Math.min(needs.length, statements.length); asked > 0; asked -= 1) {
    const before = statements.slice(0, -asked);
    const open = unmet(needs, knownAfter(family, before));
    const answers = statements.slice(-asked).map(answered);
    const isAsked = answers.every((answer, index) => {
      const need = open[index];
      return answer !== undefined && need !== undefined && sameNeed(answer, need);
    });
    if (open.length === asked && isAsked) return before;
  }
  return statements;
}

/** Opaque neighbours are one. */
function append(statements: readonly Statement[], next: Statement): Statement[] {
  const last = statements.at(-1);
  if (next.kind !== 'opaque' || last?.kind !== 'opaque') return [...statements, next];
  const expressions = [...last.expressions, ...next.expressions];
  return [...statements.slice(0, -1), { kind: 'opaque', expressions }];
}
