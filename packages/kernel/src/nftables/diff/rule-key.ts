/** When two rules are the same: when they say the same to the kernel, whatever they have counted and wherever they stand. */
import { keySpan, type Layout, planOfInline, writeKey } from '../keys/index.ts';
import type { Data, Expression, Inline, Key, Rule } from '../model/index.ts';
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

/** The same for each way to write a key. */
export function keyIdentity(layout: Layout, key: Key): string {
  const { low, high } = keySpan(layout, key);
  return low.equals(high) ? low.toString('latin1') : `${low.toString('latin1')}-${high.toString('latin1')}`;
}

/** The same for each way to write what a map answers. */
export function dataIdentity(plan: Layout | 'verdict', data: Data): string {
  if ('verdict' in data || plan === 'verdict') return JSON.stringify(data);
  const bytes = Buffer.alloc(plan.bytes);
  writeKey(plan, data, bytes);
  return bytes.toString('latin1');
}
