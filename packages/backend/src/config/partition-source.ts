import { envNameProblem, labelKeyProblem } from '../manifest/index.ts';

/** Where in a manifest a tenant names the partition of its retained data. */
export interface PartitionSource {
  readonly kind: 'label' | 'env';
  readonly key: string;
}

/** `manifest.label:<key>` or `manifest.env:<key>`; a text says why it is neither. */
export function parsePartitionSource(written: string): PartitionSource | string {
  const [, kind, key = ''] = /^manifest\.(label|env):(.*)$/s.exec(written) ?? [];
  if (kind !== 'label' && kind !== 'env') return 'must be empty, manifest.label:<key> or manifest.env:<key>';
  const length = Buffer.byteLength(key);
  if (length < 1 || length > 128) return 'must name a key of 1 to 128 bytes';
  const problem = kind === 'label' ? labelKeyProblem(key) : envNameProblem(key);
  return problem === undefined ? { kind, key } : `names what no manifest may have: ${problem}`;
}
