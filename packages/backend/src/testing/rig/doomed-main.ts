/**
 * The program as it is, in a process of its own, but for one thing: it kills itself at the commit that a file in its folder names,
 * so hard that nothing of it can still do anything. Every commit that it passes stands in another file.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildInfo } from '@berth/service';
import type { Doors } from '../../backend.ts';
import { serve } from '../../serve.ts';
import type { StoreFile } from '../../stores/index.ts';
import { commitsFile, deathFile, type PlannedDeath } from './doom.ts';

const folder = process.cwd();
const passed: string[] = [];

function plannedDeath(): PlannedDeath | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, deathFile), 'utf8'));
  } catch {
    return undefined;
  }
}

function pass(point: string): void {
  const death = plannedDeath();
  const nth = passed.filter((one) => one === point).length;
  if (death?.point === point && death.nth === nth) process.kill(process.pid, 'SIGKILL');
  passed.push(point);
  appendFileSync(join(folder, commitsFile), `${point}\n`);
}

function watch(file: StoreFile): void {
  const transaction = file.transaction.bind(file);
  file.transaction = (work) => {
    pass(`before commit of ${file.name}`);
    const result = transaction(work);
    pass(`after commit of ${file.name}`);
    return result;
  };
}

const doors: Doors = {
  engine: (engine) => engine,
  stores: (stores) => {
    for (const { file } of Object.values(stores)) watch(file);
  },
  callbacks: (send) => send,
};

// -config FILE
await serve(process.argv[3] ?? '', buildInfo, doors);
