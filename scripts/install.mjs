// Installs what package-lock.json says, on whatever Node and npm the machine has.
//
// Plain JavaScript for old Nodes: keep it free of TypeScript and of dependencies.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const pinnedNode = `node-linux-${process.arch}`;
const npm = {
  version: '11.19.0',
  integrity:
    'sha512-SDd/hHg3KqHE5Ht2NHWxNYNtqCQ2pXAPLl6OtQhPyED5PHsRfrOtO199MZTIG2cQoQ1ZRI9t28shrD+2cr3AAw==',
};

const say = (text) => process.stderr.write(`berth: ${text}\n`);

/** Ends the process with the reason if it cannot be done. */
export function installDependencies(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  if (packages[`node_modules/${pinnedNode}`] === undefined || process.platform !== 'linux')
    fail(`there is no pinned Node for ${process.platform}-${process.arch}: Linux on x64 or arm64 is needed.`);
  say('installing the dependencies of package-lock.json (npm ci) ...');
  // A Node older than this is taken for unfit by packages that ours runs well.
  if (Number(process.versions.node.split('.')[0]) >= 20) ci(root, ['npm']);
  const left = leftOut(root, packages);
  if (left.length > 0) ci(root, newerNpm(root, packages));
  const still = leftOut(root, packages);
  if (still.length > 0) fail(`npm ci left out ${still.join(', ')}`);
  rmSync(ownFolder(root), { recursive: true, force: true });

  const node = join(root, 'node_modules', '.bin', 'node');
  // npm 9 and older leave a program out of .bin that is called like the one they run on.
  if (!existsSync(node)) symlinkSync(join('..', pinnedNode, 'bin', 'node'), node);
  makeNodeRun(node);
}

/** Optional packages for this machine that are not there: npm leaves out without a word what it takes for unfit. */
function leftOut(root, packages) {
  const allows = (list, value) => list === undefined || [list].flat().includes(value);
  return Object.keys(packages).filter((path) => {
    const { optional, os, cpu, libc } = packages[path];
    const ours = allows(os, 'linux') && allows(cpu, process.arch) && allows(libc, 'glibc');
    // One that is for no machine in particular is optional for another reason.
    return optional === true && cpu !== undefined && ours && !existsSync(join(root, path));
  });
}

const ownFolder = (root) => join(root, '.cache', 'npm');

/** The command of an npm that knows our lock file and runs on our Node, fetched by the old one. */
function newerNpm(root, packages) {
  const folder = ownFolder(root);
  say(`fetching npm ${npm.version}, because this one leaves packages out ...`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { version, integrity } = packages[`node_modules/${pinnedNode}`];
  const dependencies = { [pinnedNode]: version, npm: npm.version };
  const write = (name, content) => writeFileSync(join(folder, name), JSON.stringify(content));
  write('package.json', { dependencies });
  write('package-lock.json', {
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { dependencies },
      [`node_modules/${pinnedNode}`]: { version, integrity },
      'node_modules/npm': npm,
    },
  });
  ci(folder, ['npm']);
  const node = join(folder, 'node_modules', pinnedNode, 'bin', 'node');
  makeNodeRun(node);
  return [node, join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js')];
}

function ci(folder, [command, ...args]) {
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = spawnSync(command, [...args, 'ci', ...quietly], { cwd: folder, stdio: ['ignore', 2, 2] });
  if (done.error !== undefined) fail(`${command} does not start: ${done.error.message}`);
  if (done.status !== 0)
    fail(
      'npm ci failed; the reason stands above. Check that the npm registry can be reached, then run the same command again.',
    );
}

/** Node's binary is linked with libatomic, which the smallest Debian systems lack. */
function makeNodeRun(node) {
  const tried = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (tried.status === 0) return;
  const why = tried.error?.message ?? tried.stderr;
  if (!why.includes('libatomic') || process.getuid?.() !== 0) fail(`${node} does not run: ${why}`);
  say('installing the Debian package libatomic1, which Node needs ...');
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'libatomic1']]) {
    spawnSync('apt-get', ['-qq', ...args], {
      stdio: ['ignore', 'ignore', 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  }
  if (spawnSync(node, ['--version']).status !== 0) fail(`${node} does not run: ${why}`);
}

function fail(why) {
  say(why);
  process.exit(1);
}
