/** The canonical form of a UUID in any of its usual spellings, or undefined if it is none. */
export function canonicalUuid(text: string): string | undefined {
  const [, hex] = /^(?:urn:uuid:)?(?:\{(.+)\}|(.+))$/i.exec(text)?.filter((part) => part !== undefined) ?? [];
  if (hex === undefined) return undefined;
  const plain = /^[0-9a-f]{32}$/i.test(hex) ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : hex;
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(plain) ? plain.toLowerCase() : undefined;
}
