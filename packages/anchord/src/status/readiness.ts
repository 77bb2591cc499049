/** What `/readyz` and `anchord health` say: the contract's words first; what is wrong besides stands below them. */
export function readinessLines(
  gates: readonly (readonly [name: string, met: boolean])[],
  problems: readonly string[],
): readonly string[] {
  if (gates.length === 0) return ['ok'];
  if (gates.every(([, met]) => met)) return ['ready', ...problems];
  return [...gates.map(([name, met]) => `${name}: ${met}`), ...problems];
}
