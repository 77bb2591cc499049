/** Shells that people type into, for tests of what completes there: from Debian's packages, without installing them. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { download } from '../images/packages.ts';
import { kept } from '../tools/cache.ts';
import { must, run } from '../tools/run.ts';

const shellNames = ['zsh', 'fish'] as const;
type ShellName = (typeof shellNames)[number];

const packages = ['zsh', 'zsh-common', 'fish', 'fish-common', 'libpcre2-32-0'];

/** Runs a script in a shell without anybody's settings; hands back what it wrote. */
export async function runShell(
  shell: ShellName,
  script: string,
  say: (line: string) => void,
): Promise<string> {
  const root = await unpacked(say);
  const [libraries = ''] = (await readdir(join(root, 'usr/lib'))).filter((name) =>
    name.endsWith('-linux-gnu'),
  );
  const env = { LD_LIBRARY_PATH: join(root, 'usr/lib', libraries), HOME: root };
  const functions = join(root, 'usr/share/fish/functions');
  const argv =
    shell === 'zsh'
      ? ([join(root, 'bin/zsh'), '-f', '-c', script] as const)
      : ([
          join(root, 'usr/bin/fish'),
          '--no-config',
          '-c',
          `set fish_function_path ${functions}\n${script}`,
        ] as const);
  const { code, stdout, stderr } = await run(argv, { env });
  if (code !== 0 || stderr !== '') throw new Error(`${shell} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}

const unpacked = (say: (line: string) => void): Promise<string> =>
  kept(
    `shells-${process.arch}-1`,
    async (path) => {
      say('fetching zsh and fish (kept for the next time)');
      await mkdir(path, { recursive: true });
      for (const name of packages) {
        const file = await download(name, `${path}.packages`);
        await must(['dpkg-deb', '-x', file, path]);
      }
      await rm(`${path}.packages`, { recursive: true });
    },
    say,
  );
