/** Statements that look something up in a set or map. */
import type {
  Data,
  Expression,
  Field,
  Inline,
  InlineMap,
  InlineSet,
  Named,
  NatTarget,
  SetReference,
  Verdict,
} from '../model/index.ts';
import { natFlags } from './raise-target.ts';
import { type Reading, reading } from './reading.ts';

type Lookup = Extract<Expression, { readonly is: 'lookup' }>;

export function raiseLookup(
  fields: readonly Field[],
  lookup: Lookup,
  [next]: readonly Expression[],
): Reading | undefined {
  const { set, into, negated } = lookup;
  if (into === undefined) {
    const members = membersOf(set);
    if (members === undefined) return undefined;
    return reading(1, { kind: 'match', fields, test: { is: 'in', set: members, negated } });
  }
  if (into === 'verdict') {
    const map = mapOf(set, isVerdict);
    return map === undefined ? undefined : reading(1, { kind: 'vmap', fields, map });
  }
  const map = mapOf(set, isScalars);
  if (map === undefined || next?.is !== 'nat') return undefined;
  const { direction, family, flags } = next;
  const to: NatTarget = { fields, map };
  return reading(2, { kind: 'nat', direction, family, to, flags: natFlags(flags) });
}

function membersOf(set: SetReference): Named | InlineSet | undefined {
  if ('name' in set) return set;
  return 'keys' in set.content ? set.content : undefined;
}

const isVerdict = (data: Data): data is Verdict => 'verdict' in data;
const isScalars = (data: Data): data is Exclude<Data, Verdict> => !isVerdict(data);

function mapOf<D extends Data>(
  set: SetReference,
  is: (data: Data) => data is D,
): Named | InlineMap<D> | undefined {
  if ('name' in set) return set;
  const entries = entriesOf(set).flatMap(({ key, data }) => (is(data) ? [{ key, data }] : []));
  return entries.length === 0 ? undefined : { entries };
}

const entriesOf = ({ content }: Inline): InlineMap['entries'] =>
  'entries' in content ? content.entries : [];
