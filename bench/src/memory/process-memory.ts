/** What a process costs, from what the kernel says about it. */
import { readFileSync } from 'node:fs';

export interface ProcessMemory {
  /** Everything that it has mapped and that is in memory, shared pages counted in full. MiB. */
  readonly rss: number;
  /** Its own share: shared pages divided by those who share them. MiB. */
  readonly pss: number;
  /** What exists only because it runs. MiB. */
  readonly privateDirty: number;
}

/** `process` is its folder: /proc/PID. */
export function readProcessMemory(process: string): ProcessMemory {
  const rollup = readFileSync(`${process}/smaps_rollup`, 'utf8');
  const mib = (field: string): number => {
    const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1];
    return Number(kib) / 1024;
  };
  return { rss: mib('Rss'), pss: mib('Pss'), privateDirty: mib('Private_Dirty') };
}

/** CPU time in milliseconds that it has used so far. */
export function readCpuMs(process: string): number {
  const stat = readFileSync(`${process}/stat`, 'utf8');
  // The name of the program stands in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const TICK_MS = 10;
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
