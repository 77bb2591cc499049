import type { Field, Fields } from './kind.ts';
import { INVALID, type Invalid, type Place, type Problem, type Spot, type UnknownKey } from './source.ts';

export type ValuesOf<F extends Fields> = { readonly [P in keyof F]: F[P] extends Field<infer T> ? T : never };

/** A rule about several settings at once. Runs when all of them were read without a fault. */
export interface Rule<Values> {
  /** The setting that gets the blame: its key begins the sentence, its place in the schema decides the order. */
  readonly at: keyof Values;
  readonly needs: readonly (keyof Values)[];
  /** Completes the sentences that begin with the key; none when all is well. */
  check(values: Values): readonly string[];
}

export interface Schema<F extends Fields = Fields> {
  /** Heading of the reference. */
  readonly title: string;
  /** What it configures and when it is read, in Markdown. */
  readonly about: string;
  readonly fields: F;
  readonly rules: readonly Rule<ValuesOf<F>>[];
  /** Keys of former times that are passed over in silence, with the reason. */
  readonly ignored: Readonly<Record<string, string>>;
}

type RuleMaker<Values> = <K extends keyof Values, N extends keyof Values = never>(
  at: K,
  needs: readonly N[],
  /** What breaks the rule, as one or more ends of a sentence that begins with the key. */
  check: (values: Pick<Values, K | N>) => string | readonly string[] | undefined,
) => Rule<Values>;

export interface SchemaParts<F extends Fields> {
  readonly title: string;
  readonly about: string;
  readonly fields: F;
  readonly rules?: (rule: RuleMaker<ValuesOf<F>>) => readonly Rule<ValuesOf<F>>[];
  readonly ignored?: Readonly<Record<string, string>>;
}

export function schema<F extends Fields>(parts: SchemaParts<F>): Schema<F> {
  const { title, about, fields, ignored = {} } = parts;
  return { title, about, fields, ignored, rules: rulesOf(parts) };
}

export function rulesOf<F extends Fields>({
  rules,
}: Pick<SchemaParts<F>, 'rules'>): readonly Rule<ValuesOf<F>>[] {
  const rule: RuleMaker<ValuesOf<F>> = (at, needs, check) => ({
    at,
    needs,
    check(values) {
      const broken = check(values);
      if (broken === undefined) return [];
      return typeof broken === 'string' ? [broken] : broken;
    },
  });
  return rules?.(rule) ?? [];
}

/** What came of reading a configuration: the values, or all that is wrong with it, in the order of the schema. */
export interface Reading<Values> {
  readonly values: Values | undefined;
  readonly problems: readonly Problem[];
  /** The settings that were there and not empty. */
  readonly given: ReadonlySet<keyof Values>;
  /** Keys that no setting claims. */
  readonly unknown: readonly UnknownKey[];
}

/** What a source has to say about one field; undefined when nothing. */
export type Lookup = (field: Field<unknown>, spot: Spot) => Found | undefined;
interface Found {
  readonly value: unknown;
  readonly place?: Place | undefined;
}

export interface FieldsRead<F extends Fields> {
  readonly values: ValuesOf<F> | Invalid;
  readonly given: ReadonlySet<keyof F>;
}

/** Reads every field and then checks every rule whose settings are sound; complains in the order of the fields. */
export function readFields<F extends Fields>(
  { fields, rules }: Pick<Schema<F>, 'fields' | 'rules'>,
  lookup: Lookup,
  parent: Spot,
): FieldsRead<F> {
  const values: Record<string, unknown> = {};
  const spots = new Map<keyof F, Spot>();
  const places = new Map<keyof F, Place>();
  const given = new Set<keyof F>();
  for (const [property, field] of Object.entries(fields)) {
    const spot = parent.inside(field.key).apart();
    spots.set(property, spot);
    const found = lookup(field, spot);
    if (found !== undefined) given.add(property);
    if (found?.place !== undefined) places.set(property, found.place);
    values[property] = found === undefined ? field.unset(spot) : found.value;
  }
  for (const { at, needs, check } of rules) {
    if ([at, ...needs].some((property) => values[String(property)] === INVALID)) continue;
    const spot = spots.get(at);
    for (const broken of check(values as ValuesOf<F>)) spot?.failAt(`${spot.name} ${broken}`, places.get(at));
  }
  for (const spot of spots.values()) parent.findings.add(spot.findings);
  const faulty = [...spots.values()].some(({ findings }) => findings.problems.length > 0);
  return { values: faulty ? INVALID : (values as ValuesOf<F>), given };
}
