import type { ByteReader, ByteWriter } from './bytes.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export const textBytes = (text: string): Uint8Array => encoder.encode(text);

/** Text as DHCP options carry it: some servers end it with zeros. Not UTF-8, or nothing at all, is no text. */
export function textFrom(bytes: Uint8Array): string | undefined {
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  if (end === 0) return undefined;
  try {
    return utf8.decode(bytes.subarray(0, end));
  } catch {
    return undefined;
  }
}

const longestName = 255;
/** More names than any search list holds; compression lets a short option unfold into a very long list. */
const mostNames = 64;

/** The labels of a domain name as DNS writes them, ended by the root. A label that DNS cannot carry is left out. */
export function putDomainName(writer: ByteWriter, name: string): void {
  for (const label of name.split('.').map(textBytes)) {
    if (label.length > 0 && label.length < 64) writer.u8(label.length).put(label);
  }
  writer.u8(0);
}

/** A list of names (RFC 1035, compression as in RFC 3397), or nothing where one of them is broken. */
export function domainNames(bytes: Uint8Array): readonly string[] | undefined {
  const names: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const read = nameAt(bytes, at);
    if (read === undefined || names.length === mostNames) return undefined;
    if (read.name !== '') names.push(read.name);
    at = read.next;
  }
  return names;
}

/** Compression pointers lead strictly backwards, so that the walk ends. */
function nameAt(bytes: Uint8Array, start: number): { name: string; next: number } | undefined {
  const labels: string[] = [];
  let at = start;
  let lowest = start;
  let next: number | undefined;
  let length = 0;
  for (;;) {
    const head = bytes[at];
    if (head === undefined) return undefined;
    if (head === 0) return { name: labels.join('.'), next: next ?? at + 1 };
    if (head >= 0xc0) {
      const target = (head & 0x3f) * 0x100 + (bytes[at + 1] ?? 0);
      if (at + 1 >= bytes.length || target >= lowest) return undefined;
      next ??= at + 2;
      lowest = target;
      at = target;
      continue;
    }
    const label = bytes.subarray(at + 1, at + 1 + head);
    length += head + 1;
    if (head > 63 || label.length < head || length >= longestName || !label.every(isNameByte))
      return undefined;
    labels.push(String.fromCharCode(...label));
    at += 1 + head;
  }
}

/** Printable ASCII without the dot: all else cannot be written back as it was. */
const isNameByte = (byte: number): boolean => byte > 0x20 && byte < 0x7f && byte !== 0x2e;

/** A domain name alone in a reader's rest, for the FQDN options. */
export function domainName(reader: ByteReader): string | undefined {
  return domainNames(reader.rest())?.[0];
}
