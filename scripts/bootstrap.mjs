// First step of every npm script. Runs on whatever Node the machine has, and with nothing but that: makes sure
// that the dependencies (and with them our own pinned Node) are there, then hands over to that Node.
//
// Plain JavaScript for old Nodes: keep it free of TypeScript and of dependencies.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
// Written last, so that an installation that was killed half-way is done again.
const stamp = join(modules, '.berth-installed');
const node = join(modules, '.bin', 'node');

const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

function installed() {
  return existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
}

function install() {
  process.stderr.write('berth: installing the dependencies of package-lock.json (npm ci) ...\n');
  rmSync(stamp, { force: true });
  const done = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (done.status !== 0) {
    process.stderr.write(
      'berth: npm ci failed; the reason stands above. Check that the npm registry can be reached, then run the same command again.\n',
    );
    process.exit(done.status ?? 1);
  }
  const pinned = `node-linux-${process.arch}`;
  if (!existsSync(join(modules, pinned))) {
    fail(`there is no pinned Node for ${process.platform}-${process.arch}: Linux on x64 or arm64 is needed.`);
  }
  // npm 9 and older leave a program out of .bin that is called like the one they run on.
  if (!existsSync(node)) symlinkSync(join('..', pinned, 'bin', 'node'), node);
  makeNodeRun();
  writeFileSync(stamp, wanted);
}

// Node's binary is linked with libatomic, which the smallest Debian systems lack.
function makeNodeRun() {
  const tried = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (tried.status === 0) return;
  const why = tried.error?.message ?? tried.stderr;
  if (!why.includes('libatomic') || process.getuid?.() !== 0) fail(`${node} does not run: ${why}`);
  process.stderr.write('berth: installing the Debian package libatomic1, which Node needs ...\n');
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'libatomic1']]) {
    spawnSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 2, 2] });
  }
  if (spawnSync(node, ['--version']).status !== 0) fail(`${node} does not run: ${why}`);
}

function fail(why) {
  process.stderr.write(`berth: ${why}\n`);
  process.exit(1);
}

if (!installed()) install();

// Without a script only the installation was wanted.
const [script, ...args] = process.argv.slice(2);
if (script === undefined) process.exit(0);

const child = spawn(node, [join(root, script), ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH ?? ''}` },
});
// A signal that was sent to us alone has to be passed on. With Ctrl-C the terminal tells the whole group, so the child
// may hear it twice (npm passes it on, too): what runs here takes a burst of signals for one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// npm that is killed passes nothing on. Only under npm do we know that whoever started us should outlive us.
if (process.env.npm_lifecycle_event !== undefined) {
  const family = ancestors();
  setInterval(() => {
    if (ancestors() !== family) child.kill('SIGTERM');
  }, 500).unref();
}

// npm itself, and the shell that it may have put in between.
function ancestors() {
  const parent = process.ppid;
  try {
    const [, name, ids] = /\((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${parent}/stat`, 'utf8')) ?? [];
    return /^(sh|dash|bash)$/.test(name) ? `${parent} ${ids}` : `${parent}`;
  } catch {
    return 'gone';
  }
}
child.on('error', (error) => {
  process.stderr.write(`berth: ${node} does not start: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (signal !== null) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exit(code ?? 1);
  }
});
