/** What /proc says: which processes live in a namespace or a control group, and which one is meant by a record. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

const orUndefined = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    // The process (or the file) went away between two looks: that is an answer, too.
    return undefined;
  }
};

function* pids(): Generator<number> {
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid)) yield pid;
  }
}

/** The identity of a network namespace that has a name, or undefined if there is none (a plain file is none, either). */
export function namespaceId(path: string): string | undefined {
  return orUndefined(() => {
    const { ino, dev } = statSync(path);
    return dev === statSync('/proc/self/ns/net').dev ? `net:[${ino}]` : undefined;
  });
}

export const namespaceIdOfProcess = (pid: number): string | undefined =>
  orUndefined(() => readlinkSync(`/proc/${pid}/ns/net`));

/** Every process that lives in the network namespace. */
export const processesIn = (namespace: string): number[] =>
  Array.from(pids()).filter((pid) => namespaceIdOfProcess(pid) === namespace);

const namespaceDepth = (pid: number | 'self'): { readonly depth: number; readonly innermost: number } => {
  const status = orUndefined(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '';
  const numbers = /^NSpid:\t(.+)$/m.exec(status)?.[1]?.split('\t').map(Number) ?? [];
  return { depth: numbers.length, innermost: numbers.at(-1) ?? 0 };
};

/** Is this the first process of a process namespace right below ours? Its end is the end of all others there. */
export function isInit(pid: number): boolean {
  const { depth, innermost } = namespaceDepth(pid);
  return innermost === 1 && depth === namespaceDepth('self').depth + 1;
}

/**
 * When the process started, in clock ticks since boot: with the pid, it names one process for good. Undefined for one
 * that is dead, also if nobody has collected it yet.
 */
function startTime(pid: number): string | undefined {
  const stat = orUndefined(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The second field is the command in parentheses, which may itself hold anything.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields.at(19);
}

export interface ProcessRecord {
  readonly pid: number;
  readonly startTime: string;
  /** Start times count from boot, and pids begin anew with it. */
  readonly bootId: string;
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

export function recordOf(pid: number): ProcessRecord | undefined {
  const started = startTime(pid);
  return started === undefined ? undefined : { pid, startTime: started, bootId: bootId() };
}

export const isAlive = (record: ProcessRecord): boolean =>
  record.bootId === bootId() && startTime(record.pid) === record.startTime;

export const commandLine = (pid: number): string =>
  orUndefined(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()) ?? '';

/** Every mounted cgroup hierarchy of the machine (many with v1, one with v2). */
export function cgroupMounts(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return mounts.flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const type = after.split(' ')[0];
    return type === 'cgroup' || type === 'cgroup2' ? [before.split(' ')[4] ?? ''] : [];
  });
}

/**
 * Ends the process; true if there was one. Never 0, which would be our own group: the kernel writes it where a process
 * is not of our process namespace.
 */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  if (pid <= 1) return false;
  return orUndefined(() => process.kill(pid, signal)) ?? false;
}
