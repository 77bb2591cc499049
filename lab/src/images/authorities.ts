/**
 * Whom this machine trusts over TLS, for the images: behind a company's proxy that signs with a certificate of its own, a
 * container that does not trust the same fetches nothing.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The one file that programs read. */
export const bundle = '/etc/ssl/certs/ca-certificates.crt';
/** What the bundle is made of beside Debian's own list, whenever the package ca-certificates is set up. */
const additions = '/usr/local/share/ca-certificates';

function files(): string[] {
  const added = existsSync(additions) ? readdirSync(additions).sort() : [];
  return [bundle, ...added.map((name) => join(additions, name))].filter((path) => existsSync(path));
}

/** Changes when the machine trusts somebody else. */
export function authoritiesKey(): string {
  const hash = createHash('sha256');
  for (const file of files()) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

export async function copyAuthorities(root: string): Promise<void> {
  for (const file of files()) {
    await mkdir(join(root, dirname(file)), { recursive: true });
    await copyFile(file, join(root, file));
  }
}
