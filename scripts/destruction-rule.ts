/**
 * Data of tenants is destroyed in one place. This finds whatever else could: who holds what destroys volumes, who opens the
 * file systems that hand it out, and who removes or renames files by themselves. Tests may do as they like.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const backend = 'packages/backend/src';
const volumes = `${backend}/volumes`;

interface Rule {
  readonly what: RegExp;
  readonly why: string;
  /** The only files in which it may stand. */
  readonly allowed: readonly string[];
}

const rules: readonly Rule[] = [
  {
    what: /\b(?:VolumeDestroyer|destroyer)\b/,
    why: 'holds what destroys volumes',
    allowed: [`${volumes}/door.ts`, `${volumes}/open.ts`],
  },
  {
    what: /\bopenQuotaFilesystem\b|\b(?:btrfs|xfs|zfs)Filesystem\b/,
    why: 'opens a file system with volumes, and with it what destroys them',
    allowed: [`${volumes}/open.ts`],
  },
  {
    what: /\bnew VolumeDoor\b/,
    why: 'makes a door of its own',
    allowed: [`${volumes}/open.ts`],
  },
  {
    what: /\bConfinedFolder\b/,
    why: 'holds what removes folders in a volume, and the volume itself from the root',
    allowed: [
      `${volumes}/confined-folder.ts`,
      `${volumes}/index.ts`,
      `${volumes}/extract.ts`,
      `${volumes}/scratch.ts`,
      `${backend}/workload/instance-volumes.ts`,
    ],
  },
  {
    what: /import\s*\{[^}]*\b(?:rm|rmSync|rmdir|rmdirSync|unlink|unlinkSync|rename|renameSync|truncate|truncateSync)\b[^}]*\}\s*from\s*'node:fs/,
    why: 'removes or renames files',
    // Besides the folders of volumes: copies of stores, and of records.
    allowed: [
      `${volumes}/confined-folder.ts`,
      `${backend}/maintenance/backup.ts`,
      `${backend}/retention/copies.ts`,
    ],
  },
  {
    what: /import\s+(?:\*\s+as\s+\w+|\w+|\{[^}]*\b(?:default|promises)\b[^}]*\})\s+from\s*'node:fs|import\(\s*'node:fs|\b(?:getBuiltinModule|createRequire)\b/,
    why: 'takes all of the file system functions, those that remove files among them',
    allowed: [],
  },
];

function* productFiles(folder: string): Generator<string> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== 'testing') yield* productFiles(path);
    } else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')) yield path;
  }
}

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

/** One line for each place that it must not stand in. */
export function destructionProblems(root: string): string[] {
  const problems: string[] = [];
  for (const path of productFiles(join(root, backend))) {
    const file = relative(root, path);
    const text = withoutComments(readFileSync(path, 'utf8'));
    for (const { what, why, allowed } of rules)
      if (!allowed.includes(file) && what.test(text))
        problems.push(`${file} ${why}; only ${allowed.join(' and ') || 'nobody'} may`);
  }
  return problems;
}
