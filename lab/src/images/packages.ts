/** Debian packages as files, without installing them. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { labErrors } from '../errors.ts';
import { must } from '../tools/run.ts';

/** Fetches the package of this machine's release into the folder; hands back the file's path. */
export async function download(name: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  // The sandbox user may not write into a folder of root's, and says so on every download.
  await must(['apt-get', '-qq', '-o', 'APT::Sandbox::User=root', 'download', name], { cwd: folder });
  const file = (await readdir(folder)).find(
    (entry) => entry.startsWith(`${name}_`) && entry.endsWith('.deb'),
  );
  if (file === undefined)
    throw labErrors.error('TOOL_FAILED', `apt-get download ${name} left no file in ${folder}`);
  return join(folder, file);
}
