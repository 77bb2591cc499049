/**
 * The programs of a host with a newer engine: Debian 13's /usr in place of the machine's. Debian's /bin, /sbin and /lib
 * are links into /usr, so one mount changes engine, containerd, runc and iptables together, and every other path
 * stays what it is on the machine: a bind mount that a test asks for finds the same files with either engine.
 */
import { join } from 'node:path';
import { debootstrap, slim } from '../images/debootstrap.ts';
import { kept } from '../tools/cache.ts';
import type { Argv } from '../tools/run.ts';

const packages = [
  ...['docker.io', 'docker-cli', 'docker-compose', 'iptables', 'tini', 'ca-certificates', 'docker-registry'],
  ...['iproute2', 'nftables', 'conntrack', 'procps', 'tcpdump', 'btrfs-progs', 'xfsprogs', 'libatomic1'],
] as const;

/** The folder with Debian 13; made and kept when it is not there. */
function trixie(say: (line: string) => void): Promise<string> {
  return kept(
    `trixie-${process.arch}-1`,
    async (path) => {
      say('making a Debian 13 for Docker engine 26 (kept for the next time)');
      await debootstrap('trixie', path, packages);
      await slim(path);
    },
    say,
  );
}

export async function newerUserland(say: (line: string) => void): Promise<readonly Argv[]> {
  const usr = join(await trixie(say), 'usr');
  return [
    ['mount', '--bind', usr, '/usr'],
    // It is kept for others: nobody writes there.
    ['mount', '-o', 'remount,bind,ro', '/usr'],
  ];
}
