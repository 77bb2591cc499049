/** What the machine itself has to offer before a lab can run: the Debian packages, installed once, by name. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A package, and the file by which we see that it is there (asking dpkg would take longer than looking). */
const packages: Readonly<Record<string, string>> = {
  'btrfs-progs': '/usr/bin/btrfs',
  conntrack: '/usr/sbin/conntrack',
  debootstrap: '/usr/sbin/debootstrap',
  'dnsmasq-base': '/usr/sbin/dnsmasq',
  'docker-registry': '/usr/bin/docker-registry',
  'docker.io': '/usr/sbin/dockerd',
  iproute2: '/usr/sbin/ip',
  nftables: '/usr/sbin/nft',
  tini: '/usr/bin/tini',
};

/** Installs the Debian packages that are missing. Says nothing and takes no time where none is. */
export async function prepareMachine(say: (line: string) => void): Promise<void> {
  const missing = Object.entries(packages)
    .filter(([, file]) => !existsSync(file))
    .map(([name]) => name);
  if (missing.length === 0) return;
  say(`installing Debian packages: ${missing.join(' ')}`);
  await apt('update');
  await apt('install', '--yes', '--no-install-recommends', ...missing);
}

function apt(...args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('apt-get', ['-qq', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // A package that brings a service must not start it: the lab's engine is its own, and so is the user's.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`apt-get ${args.join(' ')} ended with ${code}:\n${errors.trim()}`));
    });
  });
}
