/** The Docker engine of a host: started by hand, on nothing that is the machine's own. */
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { labErrors } from '../errors.ts';
import { commandLine, kill } from '../tools/proc.ts';
import { waitFor } from '../tools/wait.ts';
import type { Host } from './host.ts';

export async function startEngine(host: Host): Promise<void> {
  const dataRoot = join(host.stateFolder, 'docker');
  const config = join(host.stateFolder, 'daemon.json');
  await mkdir(dataRoot, { recursive: true });
  await writeFile(
    config,
    JSON.stringify({
      hosts: ['unix:///run/docker.sock'],
      pidfile: '/run/docker.pid',
      'data-root': dataRoot,
      'exec-root': '/run/docker',
      'storage-driver': 'overlay2',
      // Control groups are the one thing that namespaces do not part here: a parent of our own parts them by name.
      'cgroup-parent': `/${host.cgroup}`,
      'exec-opts': ['native.cgroupdriver=cgroupfs'],
      'shutdown-timeout': 2,
    }),
  );
  // As a service manager does it: the engine gives its containerd 15 seconds, which a busy machine may not have.
  for (let left = 3; ; left--) {
    try {
      await runEngine(host, config);
      return;
    } catch (error) {
      if (left === 0 || !/timeout waiting for containerd/.test(String(error))) throw error;
    }
  }
}

async function runEngine(host: Host, config: string): Promise<void> {
  await endEngine(host);
  // The record of an engine that was killed names a process that may be any other by now.
  for (const left of [host.socketPath, join(host.runFolder, 'docker.pid')]) await rm(left, { force: true });
  const log = openSync(host.engineLog, 'a');
  const child = host.spawn(['dockerd', `--config-file=${config}`], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  let ended: string | undefined;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = `ended with ${code ?? signal}`;
  });
  await waitFor(
    `the Docker engine of ${host.name}`,
    async () => {
      if (ended !== undefined)
        throw labErrors.error('TOOL_FAILED', `dockerd ${ended}:\n${await tail(host.engineLog)}`);
      return engineAnswers(host);
    },
    { timeoutMs: 180_000, everyMs: 50, evidence: () => `its log: ${host.engineLog}` },
  );
}

/** As a service manager does it. */
export async function restartEngine(host: Host): Promise<void> {
  const pid = (await host.must(['cat', '/run/docker.pid'])).trim();
  await host.must(['kill', '-TERM', pid]);
  const gone = async () => (await host.exec(['kill', '-0', pid])).code !== 0;
  await waitFor('the end of the engine', gone, { timeoutMs: 60_000, everyMs: 50 });
  await startEngine(host);
}

/** One that runs but does not answer: two engines on the same folders would ruin them. */
async function endEngine(host: Host): Promise<void> {
  const engines = (): number[] => host.processes().filter((pid) => commandLine(pid).startsWith('dockerd '));
  await waitFor(
    `the end of the Docker engine of ${host.name}`,
    () => {
      const left = engines();
      for (const pid of left) kill(pid);
      return left.length === 0;
    },
    { timeoutMs: 60_000 },
  );
}

/** Does the engine answer a ping within a second? */
export function engineAnswers(host: Host): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(
      { socketPath: host.socketPath, path: '/_ping', agent: false, timeout: 1000 },
      (response) => {
        response.resume();
        response.on('close', () => resolve(response.statusCode === 200));
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.on('close', () => resolve(false));
    asked.end();
  });
}

async function tail(file: string, lines = 15): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
