/** What every mode that runs for a while stands on: log, clock, metrics, health, and the end of it all. */
import { buildInfo, type Clock, isoTime, type Scope, stopOptimising, systemClock } from '@berth/service';
import type { Environment } from '@berth/service/config';
import { type Condition, daemonPages, Health, type Pages, plainText, serve } from '@berth/service/http';
import { type Daemon, runDaemon } from '@berth/service/lifecycle';
import { createLog, type Level, type Log, type RootLog, stdoutSink } from '@berth/service/log';
import { Registry } from '@berth/service/metrics';
import { processMessages } from './messages/index.ts';
import { type AnchordMetrics, anchordMetrics } from './metrics.ts';
import { Problems, problemLine, problemTable } from './problems.ts';
import {
  ownMounts,
  RecentRepairs,
  readinessLines,
  refuseSecond,
  type Status,
  StatusBoard,
  serveStatus,
} from './status/index.ts';
import { pause } from './wakeup.ts';

/** What a mode gets to work with. */
export interface Program {
  readonly scope: Scope;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: AnchordMetrics;
  readonly problems: Problems;
  /** What `anchord status` shows. */
  readonly status: StatusBoard;
  /** Runs before every exposition of the metrics; what comes back ends that. */
  readonly onScrape: (collect: () => void) => () => void;
  /** Ends the process from the inside, in order. */
  stop(exitCode: number): void;
}

/** What readiness waits for, by the names in its body; met once, they stay met. */
export type Gates = Readonly<Record<string, Condition>>;

interface CommonSettings {
  readonly logLevel: string;
  readonly metricsAddress: string | null;
}

export interface Mode<Settings extends CommonSettings, G extends Gates> {
  readonly name: string;
  readonly readSettings: (env: Environment) => Settings;
  readonly gates: G;
  /** Resolves when the mode has ended by itself, to its exit code; mostly it runs until the scope ends. */
  run(
    program: Program,
    settings: Settings,
    gate: (met: keyof G & string) => void,
  ): Promise<number | undefined>;
}

export async function runMode<Settings extends CommonSettings, G extends Gates>(
  mode: Mode<Settings, G>,
  env: Environment,
): Promise<never> {
  const log = createLog({ sink: stdoutSink() });
  return await runDaemon({ name: mode.name, log }, async (daemon) => await start(mode, env, daemon, log));
}

async function start<Settings extends CommonSettings, G extends Gates>(
  mode: Mode<Settings, G>,
  env: Environment,
  { scope, stop }: Daemon,
  log: RootLog,
): Promise<number | undefined> {
  const clock = systemClock;
  scope.defer(leaveAtOnce, 'leaving');
  const settings = mode.readSettings(env);
  applyLogLevel(log, settings.logLevel);
  const registry = new Registry((err) => log.error('metrics collector failed', { err }));
  const metrics = registry.add(anchordMetrics);
  registry.info('anchord_build_info', 'Which build this is.', {
    version: buildInfo.version,
    commit: buildInfo.commit.slice(0, 12),
  });
  const health = new Health({ ...mode.gates, ...problemTable }, clock);
  const problems = new Problems((code, open) => {
    metrics.problems.set(open.length, { code });
    if (open.length === 0) health.right(code);
    else health.wrong(code, open.map(problemLine).join('\n'));
  });
  const board = new StatusBoard();
  const repairs = new RecentRepairs(clock);
  const startedAt = isoTime(clock.now());
  await refuseSecond(clock);
  const describe = (): Status => ({
    version: buildInfo.version,
    commit: buildInfo.commit,
    mode: mode.name,
    pid: process.pid,
    mounts: ownMounts(),
    startedAt,
    ready: health.ready,
    gates: Object.fromEntries(health.gates()),
    problems: problems.list().map(({ code, subject, detail }) => {
      return { code, severity: problemTable[code].severity, subject, detail };
    }),
    leases: leasesOf(registry, metrics),
    repairs: repairs.list(),
    ...board.sections(),
  });
  const onScrape = (collect: () => void): (() => void) => registry.onCollect(collect);
  const heard = repairs.hearing(log);
  const program: Program = { scope, log: heard, clock, metrics, problems, status: board, onScrape, stop };
  const begun = Promise.withResolvers<void>();
  const running = mode.run(program, settings, (met) => {
    health.right(met);
    begun.resolve();
  });
  const serveAll = async (): Promise<void> => {
    // Packets first: whoever waits for a route or a rule waits for nothing else. Pages and sockets can do without us for that.
    await Promise.race([begun.promise, pause(clock, serveAfterMs, scope.signal)]);
    if (scope.closed) return;
    await serveStatus(scope, { log, clock, describe });
    if (settings.metricsAddress === null) log.say(processMessages.listenerDisabled);
    else {
      const pages = { ...daemonPages(registry, health), '/readyz': readyPage(health, problems) };
      await serve(scope, { address: settings.metricsAddress, pages, log, clock });
    }
    stopOptimising();
  };
  const [exitCode] = await Promise.all([running, serveAll()]);
  return exitCode;
}

/** Node waits at its end for a look-up of a name that hangs, and nobody can call that off. */
async function leaveAtOnce(): Promise<void> {
  const { linux } = await import('@berth/kernel/sys');
  process.once('exit', (code) => linux.exit(code));
}

/** Also a mode that waits for something shows that it lives. */
const serveAfterMs = 250;

/** From the gauge, which is brought up to date before it is read; a family without a lease has no value, or none above 0. */
function leasesOf(registry: Registry, { leaseRemaining }: AnchordMetrics): NonNullable<Status['leases']> {
  registry.expose();
  return [...leaseRemaining.samples()].flatMap((line) => {
    const [, family = '', seconds = '0'] = /family="(v4|v6)"} (\S+)$/.exec(line) ?? [];
    return Number(seconds) > 0 ? [{ family, remainingSeconds: Math.round(Number(seconds)) }] : [];
  });
}

const levels: readonly string[] = ['debug', 'info', 'warn', 'error'] satisfies readonly Level[];
const isLevel = (word: string): word is Level => levels.includes(word);

function applyLogLevel(log: RootLog, word: string): void {
  if (isLevel(word)) log.setLevel(word);
  else log.say(processMessages.unknownLogLevel, { value: word });
}

function readyPage(health: Health<Gates>, problems: Problems): Pages[string] {
  return () => {
    const lines = readinessLines(health.gates(), problems.list().map(problemLine));
    return plainText(health.ready ? 200 : 503, lines.join('\n'));
  };
}
