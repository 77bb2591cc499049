/**
 * Puts together the whole file system of an image: one program, Node, the libraries that they are linked with, and the
 * tools by which an operator looks around. Nothing else, no shell.
 *
 *   node scripts/image-root.ts PROGRAM FOLDER [TOOL ...]
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, globSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './run.ts';

const [program, folder, ...tools] = process.argv.slice(2);
if (program === undefined || folder === undefined) {
  process.stderr.write('usage: node scripts/image-root.ts PROGRAM FOLDER [TOOL ...]\n');
  process.exit(2);
}

function output(...[command = '', ...args]: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** Under the same path as here; what a symbolic link leads to is copied under the link's own name. */
function place(path: string): void {
  const target = join(folder as string, path);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(realpathSync(path), target);
}

/** The libraries that a binary is linked with, the loader included. */
function librariesOf(binary: string): string[] {
  return Array.from(output('ldd', binary).matchAll(/(?:=> )?(\/\S+) \(0x/g), ([, path = '']) => path);
}

const node = join(folder, 'usr/local/bin/node');
mkdirSync(dirname(node), { recursive: true });
output('strip', '--strip-unneeded', '-o', node, realpathSync(process.execPath));

const app = join(folder, 'usr/lib', program);
cpSync(join(root, 'dist', program), app, { recursive: true, filter: (path) => !path.endsWith('.map') });

// What an operator types: `docker exec NAME anchord doctor`.
const command = join(folder, 'usr/local/bin', program);
writeFileSync(command, `#!/usr/local/bin/node\nimport('/usr/lib/${program}/main.mjs');\n`, { mode: 0o755 });

const binaries = [node, ...globSync(`${app}/*.node`), ...tools];
for (const tool of tools) place(tool);
for (const library of binaries.flatMap(librariesOf)) place(library);
place('/etc/ssl/certs/ca-certificates.crt');
// Without it nft prints protocols as numbers.
place('/etc/protocols');

for (const name of ['tmp', 'run', 'proc', 'sys', 'dev', 'var/run'])
  mkdirSync(join(folder, name), { recursive: true });
writeFileSync(
  join(folder, 'etc/passwd'),
  'root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
);
writeFileSync(join(folder, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
writeFileSync(join(folder, 'etc/nsswitch.conf'), 'hosts: files dns\n');
