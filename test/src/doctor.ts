/** Asks the doctor in a container of a stack, as an operator does. */
import type { Host } from '@berth/lab';

interface Finding {
  readonly subject: string;
  readonly detail: string;
  readonly remedy: string;
  readonly fix?: string;
}

interface Check {
  readonly code: string;
  readonly outcome: 'fine' | 'problem' | 'unknown' | 'skipped';
  readonly why?: string;
  readonly findings?: readonly Finding[];
}

export interface Diagnosis {
  readonly exitCode: number;
  readonly role: string;
  readonly checks: readonly Check[];
  /** What it said beside the report. */
  readonly said: string;
  /** The findings of one check. */
  readonly of: (code: string) => readonly Finding[];
  readonly codes: (outcome: Check['outcome']) => readonly string[];
}

/** What the program in a container says of its readiness. */
export async function healthOf(host: Host, id: string): Promise<string> {
  return (await host.exec(['docker', 'exec', id, 'anchord', 'health'])).stdout;
}

/** What it tells of itself. */
export async function statusOf(host: Host, id: string): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await host.docker('exec', id, 'anchord', 'status', '--json')) as Readonly<
    Record<string, unknown>
  >;
}

/** `argv` runs the program: `docker exec ID anchord`, or `docker run ... IMAGE`. */
export async function diagnose(
  host: Host,
  argv: readonly string[],
  ...args: readonly string[]
): Promise<Diagnosis> {
  const [command = '', ...rest] = argv;
  const {
    code: exitCode,
    stdout,
    stderr,
  } = await host.exec([command, ...rest, 'doctor', 'all', '--json', ...args]);
  let report: { role: string; checks: readonly Check[] };
  try {
    report = JSON.parse(stdout) as typeof report;
  } catch {
    throw new Error(`the doctor ended with ${exitCode}: ${stdout}${stderr}`);
  }
  const { role, checks } = report;
  return {
    exitCode,
    role,
    checks,
    said: stderr,
    of: (code) => checks.find((check) => check.code === code)?.findings ?? [],
    codes: (outcome) => checks.filter((check) => check.outcome === outcome).map(({ code }) => code),
  };
}
