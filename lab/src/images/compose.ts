/** Compose v2 for Debian 12's docker command: the plugin file of Debian 13's package, which runs here as it is. */
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabName, stateFolder } from '../names.ts';
import { kept } from '../tools/cache.ts';
import { must } from '../tools/run.ts';
import { downloadFrom } from './packages.ts';

function composePlugin(say: (line: string) => void): Promise<string> {
  return kept(
    `docker-compose-${process.arch}-1`,
    async (path) => {
      say('fetching Compose v2 (kept for the next time)');
      const work = `${path}.work`;
      await mkdir(work);
      await must([
        'dpkg-deb',
        '-x',
        await downloadFrom('trixie', 'docker-compose', work),
        join(work, 'package'),
      ]);
      await must(['cp', join(work, 'package/usr/libexec/docker/cli-plugins/docker-compose'), path]);
    },
    say,
  );
}

/** The lab's own configuration of the docker command: not the user's credentials, not the user's plugins. */
export const dockerConfigFolder = (lab: LabName): string => join(stateFolder(lab), 'docker-config');

export async function installCompose(lab: LabName, say: (line: string) => void): Promise<void> {
  const plugins = join(dockerConfigFolder(lab), 'cli-plugins');
  await mkdir(plugins, { recursive: true });
  const plugin = await composePlugin(say);
  await symlink(plugin, join(plugins, 'docker-compose')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
