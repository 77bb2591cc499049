/** What the machine itself has to offer before a lab can run: a few Debian packages, installed once, by name. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { labErrors } from './errors.ts';
import { withLock } from './tools/lock.ts';
import { type Finished, run } from './tools/run.ts';

/**
 * A package, and the file by which we see that it is there (asking dpkg would take longer than looking). Tools only:
 * none of them brings a service. The engines are not among them; each lab host has a Debian of its own.
 */
const labPackages: Readonly<Record<string, string>> = {
  binutils: '/usr/bin/strip',
  'btrfs-progs': '/usr/bin/btrfs',
  conntrack: '/usr/sbin/conntrack',
  debootstrap: '/usr/sbin/debootstrap',
  'dnsmasq-base': '/usr/sbin/dnsmasq',
  iproute2: '/usr/sbin/ip',
  // Without it nft prints protocols as numbers.
  netbase: '/etc/protocols',
  nftables: '/usr/sbin/nft',
  openssl: '/usr/bin/openssl',
  procps: '/usr/sbin/sysctl',
  // For what it says about units; nothing is started by it.
  systemd: '/usr/bin/systemd-analyze',
  xfsprogs: '/usr/sbin/mkfs.xfs',
};

type Packages = Readonly<Record<string, string>>;

const missingOf = (packages: Packages): string[] =>
  Object.entries(packages)
    .filter(([, file]) => !existsSync(file))
    .map(([name]) => name);

/** Installs the Debian packages that are missing. Says nothing and takes no time where none is. */
export async function prepareMachine(
  say: (line: string) => void,
  packages: Packages = labPackages,
): Promise<void> {
  if (missingOf(packages).length === 0) return;
  await withLock(
    'debian packages',
    async () => {
      const missing = missingOf(packages);
      if (missing.length > 0) await install(missing, say);
    },
    () => say('waiting for another run that installs Debian packages'),
  );
}

async function install(missing: readonly string[], say: (line: string) => void): Promise<void> {
  const names = missing.join(' ');
  if (!existsSync('/usr/bin/apt-get'))
    throw labErrors.error('NEEDS_DEBIAN', `these programs are missing, and there is no apt-get: ${names}`);
  say(`installing Debian packages: ${names}`);
  // The lists of packages are good enough until an installation shows that they are not.
  const fresh = !(await hasLists());
  if (fresh) await apt(['update']);
  let done = await installNow(missing);
  if (done.code !== 0 && !fresh) {
    await apt(['update']);
    done = await installNow(missing);
  }
  if (done.code === 0) return;
  const said = done.stderr.trim();
  const offline =
    /Temporary failure resolving|Could not (resolve|connect)|Unable to locate package|Failed to fetch/;
  throw offline.test(said)
    ? labErrors.error('OFFLINE', `apt-get could not fetch ${names}:\n${said}`)
    : labErrors.error('TOOL_FAILED', `apt-get install ${names} ended with ${done.code}:\n${said}`);
}

/** Never at the price of something that is installed already. */
const installNow = (missing: readonly string[]): Promise<Finished> =>
  apt(['install', '--yes', '--no-install-recommends', '--no-remove', ...missing]);

async function hasLists(): Promise<boolean> {
  const lists = await readdir('/var/lib/apt/lists').catch((): string[] => []);
  return lists.some((name) => name.endsWith('_Packages') || name.includes('_Packages.'));
}

const tenMinutesMs = 600_000;

async function apt(args: readonly string[]): Promise<Finished> {
  const deadline = performance.now() + tenMinutesMs;
  for (;;) {
    // A lock that somebody else holds (unattended upgrades, at boot) is waited for by apt itself, but for the one on
    // the package lists.
    const done = await run(['apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=600', ...args], {
      timeoutMs: tenMinutesMs,
      // RUNLEVEL: should a package ever bring a service after all, it is not started.
      env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', LC_ALL: 'C.UTF-8' },
    });
    const locked = done.code !== 0 && done.stderr.includes('/var/lib/apt/lists/lock');
    if (!locked || performance.now() > deadline) return done;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
