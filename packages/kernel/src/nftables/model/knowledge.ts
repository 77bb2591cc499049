/**
 * What a rule knows of a packet by what it has passed. A port can only be read once the transport protocol is known, an
 * address in an `inet` table only once the network protocol is. Such a question is asked once, right before the first
 * statement that needs it, just as `nft` does.
 */
import type { Family } from './family.ts';
import { type Field, type Need, needsOf } from './fields.ts';
import type { Match, Statement } from './statements.ts';

/** The fields that a statement reads by itself. */
export function fieldsRead(statement: Statement): readonly Field[] {
  switch (statement.kind) {
    case 'match':
    case 'vmap':
    case 'update-set':
      return statement.fields;
    case 'nat':
      return 'fields' in statement.to ? statement.to.fields : [];
    default:
      return [];
  }
}

export const needsOfStatement = (family: Family, statement: Statement): readonly Need[] =>
  needsOf(family, fieldsRead(statement));

/** The needs that are not met yet. */
export const unmet = (needs: readonly Need[], known: readonly Need[]): readonly Need[] =>
  needs.filter((need) => !known.some((fact) => sameNeed(fact, need)));

export const sameNeed = (one: Need, other: Need): boolean =>
  one.field === other.field && one.value === other.value;

/** What is known behind these statements. */
export function knownAfter(family: Family, statements: readonly Statement[]): readonly Need[] {
  return statements.flatMap((statement) => {
    const answer = answered(statement);
    const needs = needsOfStatement(family, statement);
    return answer === undefined ? needs : [...needs, answer];
  });
}

/** The need that a match meets by itself. */
export function answered(statement: Statement): Need | undefined {
  if (statement.kind !== 'match' || statement.test.is !== 'value' || statement.test.negated) return undefined;
  const [field] = statement.fields;
  const { value } = statement.test;
  if (typeof value !== 'string' || (field !== 'meta nfproto' && field !== 'meta l4proto')) return undefined;
  return { field, value };
}

/** The match that meets a need. */
export const question = (need: Need): Match => ({
  kind: 'match',
  fields: [need.field],
  test: { is: 'value', value: need.value, negated: false },
});
