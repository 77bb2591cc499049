// First step of every npm script. Runs on whatever Node the machine has, and with nothing but that: makes sure
// that the dependencies (and with them our own pinned Node) are there, then hands over to that Node.
//
// Plain JavaScript for old Nodes: keep it free of TypeScript and of dependencies.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { installDependencies } from './install.mjs';

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

if (!installed()) {
  rmSync(stamp, { force: true });
  installDependencies(root);
  writeFileSync(stamp, wanted);
}

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
