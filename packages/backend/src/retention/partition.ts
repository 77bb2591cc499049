/** In which part of its own budget a tenant's kept data counts. Pure; never fails. */
import { type PartitionSource, parsePartitionSource } from '../config/index.ts';
import type { StackManifest } from '../manifest/index.ts';

type Collapse = 'no_input' | 'divergent' | 'invalid';

/** `partition` empty: none. `collapsed`: one was declared and cannot be honoured, with what was read. */
export interface Partition {
  readonly partition: string;
  readonly collapsed?: { readonly reason: Collapse; readonly value: string };
}

const valid = /^[A-Za-z0-9._-]{1,64}$/;
const none: Partition = { partition: '' };

export function sourceFrom(written: string): PartitionSource | undefined {
  const source = written === '' ? undefined : parsePartitionSource(written);
  return typeof source === 'object' ? source : undefined;
}

export function partitionOf(source: PartitionSource, stack: StackManifest | undefined): Partition {
  if (stack === undefined) return { partition: '', collapsed: { reason: 'no_input', value: '' } };
  const values = new Set<string>();
  for (const service of stack.services.values()) {
    const from = source.kind === 'label' ? service.labels : service.env;
    const value = (from.get(source.key) ?? '').trim();
    if (value !== '') values.add(value);
  }
  const [value] = values;
  if (value === undefined) return none;
  if (values.size > 1)
    return { partition: '', collapsed: { reason: 'divergent', value: cut([...values].join(', ')) } };
  return valid.test(value)
    ? { partition: value }
    : { partition: '', collapsed: { reason: 'invalid', value: cut(value) } };
}

const longest = 64;

/** Short enough for a log line, never inside a character. */
function cut(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= longest) return text;
  let end = longest;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${new TextDecoder().decode(bytes.subarray(0, end))}…`;
}
