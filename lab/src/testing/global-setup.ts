/**
 * Brings a lab up before the engine and e2e suites and takes it down after them. One that was brought up by hand is
 * used and stays up. A lab of ours dies with us, even if we are killed; the next run removes what is left of it.
 */
import type { TestProject } from 'vitest/node';
import { readDescription } from '../description.ts';
import { defaultLabName, type LabName, labName } from '../names.ts';
import { defaultSpec } from '../spec.ts';
import { isAlive } from '../tools/proc.ts';
import { bringUp, mendLab, removeOrphans, takeDown } from '../up.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly lab: string;
  }
}

const say = (line: string): void => void process.stdout.write(`  ${line}\n`);

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  endWithTestRun();
  await removeOrphans(say);
  const name = await freeName(defaultLabName());
  project.provide('lab', name);
  if ((await mendLab(name, say)) !== undefined) return undefined;
  await bringUp(name, defaultSpec, { say, owned: true });
  return async () => {
    await takeDown(name, say);
  };
}

/** The script that started us can be killed before it ends us. */
function endWithTestRun(): void {
  const run = process.env['BERTH_TEST_RUN'];
  if (run === undefined) return;
  setInterval(() => {
    if (String(process.ppid) !== run) process.kill(process.pid, 'SIGTERM');
  }, 500).unref();
}

/** Another run of the same tests, still going on, keeps its lab: we take a name of our own beside it. */
async function freeName(name: LabName): Promise<LabName> {
  const found = await readDescription(name);
  const taken =
    found !== undefined && found !== 'unreadable' && found.owner !== undefined && isAlive(found.owner);
  return taken && found.owner?.pid !== process.pid ? labName(`${name.slice(0, 16)}-${process.pid}`) : name;
}
