/**
 * The programs of a host: a whole Debian of its own in /usr and /etc, 12 for engine 20.10 and 13 for engine 26. So nothing
 * of the engine is installed on the machine (where it would start a service, and push a Docker of the user's aside), and
 * both engines are driven the same way. Debian's /bin, /sbin and /lib are links into /usr, so that one mount is enough.
 * Every other path is the machine's: a bind mount that a test asks for finds the same files inside and outside.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { debootstrap, slim } from '../images/debootstrap.ts';
import { downloadFrom } from '../images/packages.ts';
import type { EngineVersion } from '../spec.ts';
import { kept } from '../tools/cache.ts';
import { must } from '../tools/run.ts';

const common = [
  ...['docker.io', 'iptables', 'tini', 'ca-certificates', 'docker-registry', 'libatomic1', 'libstdc++6'],
  ...['iproute2', 'nftables', 'conntrack', 'procps', 'tcpdump', 'btrfs-progs', 'xfsprogs', 'iputils-ping'],
] as const;

const recipes = {
  '20.10': { release: 'bookworm', packages: common },
  '26': { release: 'trixie', packages: [...common, 'docker-cli', 'docker-compose'] },
} as const satisfies Record<EngineVersion, object>;

const composePlugin = 'usr/libexec/docker/cli-plugins/docker-compose';

/** The folder with the host's Debian; made and kept when it is not there. */
export function userland(engine: EngineVersion, say: (line: string) => void): Promise<string> {
  const { release, packages } = recipes[engine];
  const list = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12);
  return kept(
    `userland-${release}-${process.arch}-${list}-1`,
    async (path) => {
      say(`making a Debian ${release} with Docker engine ${engine} (kept for the next time)`);
      await debootstrap(release, path, packages);
      await slim(path);
      if (release === 'bookworm') await addCompose(path);
    },
    say,
  );
}

/** Debian 12 has no Compose v2; the plugin file of Debian 13 runs on it as it is. */
async function addCompose(root: string): Promise<void> {
  const work = `${root}.compose`;
  await must(['dpkg-deb', '-x', await downloadFrom('trixie', 'docker-compose', work), join(work, 'package')]);
  await mkdir(join(root, dirname(composePlugin)), { recursive: true });
  await copyFile(join(work, 'package', composePlugin), join(root, composePlugin));
}
