/** When two rules are the same: when they say the same to the kernel, whatever they have counted and wherever they stand. */
import { dataIdentity, keyIdentity, planOfInline } from '../keys/index.ts';
import type { Expression, Inline, Rule } from '../model/index.ts';
import { lowerStatements, type Surroundings } from '../translate/index.ts';

export function ruleKey(table: Surroundings, { statements, comment }: Rule): string {
  return JSON.stringify([comment, lowerStatements(table, statements).map(withoutState)]);
}

function withoutState(expression: Expression): unknown {
  if (expression.is === 'counter') return 'counter';
  if (expression.is !== 'lookup' || 'name' in expression.set) return expression;
  return { ...expression, set: inlineKey(expression.set) };
}

/** The elements of a set have no order. */
function inlineKey(inline: Inline): unknown {
  const plan = planOfInline(inline);
  const elements =
    'keys' in inline.content
      ? inline.content.keys.map((key) => keyIdentity(plan.key, key))
      : inline.content.entries.map(
          ({ key, data }) => `${keyIdentity(plan.key, key)} ${dataIdentity(plan.data ?? 'verdict', data)}`,
        );
  return { key: inline.key, data: inline.data, elements: [...new Set(elements)].sort() };
}
