import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Netns } from '../netns/index.ts';
import { inside } from './namespaces.ts';

/** Loads rules with the nft program. By way of a file: it cannot read from the pipes that Node makes. */
export function loadRules(namespace: Netns, rules: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'berth-rules-'));
  try {
    const file = join(folder, 'rules.nft');
    writeFileSync(file, rules);
    inside(namespace, 'nft', '-f', file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
