/** Finds the anchor that runs in our container, also one that does not answer: by what the kernel shows of processes. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type DaemonMode, daemonModeOf } from '../config/daemon-mode.ts';

export interface BesideUs {
  readonly pid: number;
  readonly mode: DaemonMode;
  /** By a signal: it stands still until another one lets it go on. */
  readonly stopped: boolean;
}

/** What is read of one process; undefined where it may not be read, or is gone. */
export interface ProcessTraces {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: string;
  /** The letter by which the kernel says what it does. */
  readonly state: string;
}

export function anchorBesideUs(
  processes: Iterable<ProcessTraces> = runningProcesses(),
  own = { pid: process.pid, mounts: readlinkSync('/proc/self/ns/mnt') },
): BesideUs | undefined {
  for (const { pid, argv, env, mounts, state } of processes) {
    if (pid === own.pid || mounts !== own.mounts) continue;
    const at = argv.findIndex((word) => /(^|\/)anchord(\/main\.mjs)?$/.test(word));
    if (at < 0) continue;
    const mode = daemonModeOf(argv.slice(at + 1), env);
    if (mode !== undefined) return { pid, mode, stopped: state === 'T' };
  }
  return undefined;
}

function* runningProcesses(): Generator<ProcessTraces> {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = (file: string): readonly string[] =>
        readFileSync(`/proc/${name}/${file}`, 'utf8').split('\0');
      const env = words('environ').flatMap((entry) => {
        const [key = '', ...value] = entry.split('=');
        return key === '' ? [] : [[key, value.join('=')] as const];
      });
      yield {
        pid: Number(name),
        argv: words('cmdline').slice(0, -1),
        env: Object.fromEntries(env),
        mounts: readlinkSync(`/proc/${name}/ns/mnt`),
        state: /^State:\t(\S)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1] ?? '',
      };
    } catch {
      // It has ended meanwhile.
    }
  }
}
