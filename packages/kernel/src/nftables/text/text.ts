/** A ruleset in the language of `nft` (1.0.6 and later): for logs and docs, and to be loaded by `nft -f` as a witness. */
import {
  type AnyElement,
  type Chain,
  type Counter,
  type DataType,
  markOf,
  type Rule,
  type Ruleset,
  type SetOrMap,
  type Table,
} from '../model/index.ts';
import { textOfStatement } from './text-statements.ts';
import { textOfData, textOfKey, textOfTime } from './text-values.ts';

/** Ends with a newline; one empty line between tables. */
export const toText = (ruleset: Ruleset): string =>
  ruleset.tables.map((table) => textOfTable(ruleset.owner, table)).join('\n');

const quoted = (text: string): string => `"${text}"`;
const comment = (text: string | undefined): string[] =>
  text === undefined ? [] : [`comment ${quoted(text)}`];

/** Older programs want a newline before each closing brace. */
function block(head: string, lines: readonly string[]): string {
  const inner = lines.flatMap((line) => line.split('\n')).map((line) => `\t${line}\n`);
  return `${head} {\n${inner.join('')}}`;
}

function textOfTable(owner: string, table: Table): string {
  const blocks = [
    ...table.counters.map(textOfCounter),
    ...table.sets.map(textOfSet),
    ...table.chains.map((chain) => textOfChain(table, chain)),
  ];
  const head = comment(markOf(owner, table.comment));
  return `${block(`table ${table.family} ${table.name}`, [...head, ...blocks])}\n`;
}

const textOfCounter = ({ name, comment: words, tally }: Counter): string =>
  block(`counter ${name}`, [...comment(words), `packets ${tally?.packets ?? 0} bytes ${tally?.bytes ?? 0}`]);

function textOfSet(set: SetOrMap): string {
  const data = set.kind === 'set' ? [] : set.data === 'verdict' ? ['verdict'] : [concatenated(set.data)];
  const flags = [
    ...(set.intervals === true ? ['interval'] : []),
    ...(set.timeouts === true ? ['timeout'] : []),
    ...(set.dynamic === true ? ['dynamic'] : []),
  ];
  return block(`${set.kind} ${set.name}`, [
    `type ${[concatenated(set.key), ...data].join(' : ')}`,
    ...(set.size === undefined ? [] : [`size ${set.size}`]),
    ...comment(set.comment),
    ...(set.counted === true ? ['counter'] : []),
    ...(flags.length === 0 ? [] : [`flags ${flags.join(',')}`]),
    ...(set.timeoutMs === undefined ? [] : [`timeout ${textOfTime(set.timeoutMs)}`]),
    ...(set.elements.length === 0 ? [] : [textOfElements(set)]),
  ]);
}

const concatenated = (types: readonly DataType[]): string => types.join(' . ');

function textOfElements(set: SetOrMap): string {
  const elements = set.elements.map((element: AnyElement) => {
    const words = [
      textOfKey(set.key, element.key),
      ...(element.timeoutMs === undefined ? [] : [`timeout ${textOfTime(element.timeoutMs)}`]),
      ...comment(element.comment),
    ].join(' ');
    return set.kind === 'set' || element.data === undefined
      ? words
      : `${words} : ${textOfData(set.data, element.data)}`;
  });
  return `elements = {\n\t${elements.join(',\n\t')}\n}`;
}

function textOfChain(table: Table, { name, base, comment: words, rules }: Chain): string {
  const head =
    base === undefined
      ? []
      : [`type ${base.type} hook ${base.hook} priority ${base.priority}; policy ${base.policy};`];
  return block(`chain ${name}`, [
    ...comment(words),
    ...head,
    ...rules.map((rule) => textOfRule(table, rule)),
  ]);
}

/** What has no word stands behind the rule as a remark: the text is for people then. */
function textOfRule(table: Table, { statements, comment: words }: Rule): string {
  const remarks = statements.flatMap((statement) =>
    statement.kind === 'opaque'
      ? statement.expressions.map((one) => (one.is === 'opaque' ? one.name : one.is))
      : [],
  );
  return [
    ...statements
      .filter(({ kind }) => kind !== 'opaque')
      .map((statement) => textOfStatement(table.family, statement)),
    ...comment(words),
    ...(remarks.length === 0 ? [] : [`# and what cannot be read: ${remarks.join(', ')}`]),
  ].join(' ');
}
