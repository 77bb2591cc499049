/** Debian packages as files, without installing them. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { labErrors } from '../errors.ts';
import { type Argv, must } from '../tools/run.ts';

export type Release = 'bookworm' | 'trixie';

/** The archive that this machine itself uses, so that what works for it works for us. */
export async function mirror(): Promise<string> {
  const configured = await must([
    ...(['apt-get', 'indextargets', '--format', '$(REPO_URI)'] as const),
    ...['Created-By: Packages', 'Component: main', 'Origin: Debian', 'Label: Debian'],
  ]);
  return configured.split('\n').find((line) => line.startsWith('http')) ?? 'http://deb.debian.org/debian';
}

/** The sandbox user may not write into a folder of root's, and says so on every download. */
const asRoot = ['-o', 'APT::Sandbox::User=root'] as const;

/** Fetches the package of this machine's release into the folder; hands back the file's path. */
export async function download(name: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await must(['apt-get', '-qq', ...asRoot, 'download', name], { cwd: folder });
  return downloaded(name, folder);
}

/** The same from another release, without the machine's own package lists hearing of it. */
export async function downloadFrom(release: Release, name: string, folder: string): Promise<string> {
  const lists = join(folder, 'lists');
  const sources = join(folder, 'sources.list');
  await mkdir(join(lists, 'partial'), { recursive: true });
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  await writeFile(sources, `deb [signed-by=${keys}] ${await mirror()} ${release} main\n`);
  const apt = (...args: readonly string[]): Argv => [
    ...(['apt-get', '-qq', ...asRoot, '-o', `Dir::Etc::SourceList=${sources}`] as const),
    ...['-o', 'Dir::Etc::SourceParts=/dev/null', '-o', `Dir::State::Lists=${lists}`],
    ...['-o', `Dir::Cache::pkgcache=`, '-o', `Dir::Cache::srcpkgcache=`, ...args],
  ];
  await must(apt('update'));
  await must(apt('download', name), { cwd: folder });
  return downloaded(name, folder);
}

async function downloaded(name: string, folder: string): Promise<string> {
  const file = (await readdir(folder)).find(
    (entry) => entry.startsWith(`${name}_`) && entry.endsWith('.deb'),
  );
  if (file === undefined)
    throw labErrors.error('TOOL_FAILED', `apt-get download ${name} left no file in ${folder}`);
  return join(folder, file);
}
