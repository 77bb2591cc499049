/** Numbers of the kernel that have names, and those that have none yet, which appear as their digits. */

/** The name of a number in a table; the number itself, as text, where it has none. */
export function nameOf<Name extends string>(
  table: Readonly<Record<Name, number>>,
  number: number,
): Name | `${number}` {
  for (const name in table) if (table[name] === number) return name;
  return `${number}`;
}

/** The number of a name in a table, or of digits. */
export function numberIn<Name extends string>(
  table: Readonly<Record<Name, number>>,
  name: Name | `${number}`,
): number {
  const known: Readonly<Partial<Record<string, number>>> = table;
  return known[name] ?? Number(name);
}
