/** What every mode that runs for a while stands on: log, clock, metrics, health, and the end of it all. */
import { buildInfo, type Clock, type Scope, systemClock } from '@berth/service';
import type { Environment } from '@berth/service/config';
import { type Condition, daemonPages, Health, type Pages, plainText, serve } from '@berth/service/http';
import { type Daemon, runDaemon } from '@berth/service/lifecycle';
import { createLog, type Level, type Log, type RootLog, stdoutSink } from '@berth/service/log';
import { Registry } from '@berth/service/metrics';
import { processMessages } from './messages/index.ts';
import { type AnchordMetrics, anchordMetrics } from './metrics.ts';
import { Problems, problemLine, problemTable } from './problems.ts';

/** What a mode gets to work with. */
export interface Program {
  readonly scope: Scope;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: AnchordMetrics;
  readonly problems: Problems;
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
  if (settings.metricsAddress === null) log.say(processMessages.listenerDisabled);
  else {
    const pages = { ...daemonPages(registry, health), '/readyz': readyPage(health, problems) };
    await serve(scope, { address: settings.metricsAddress, pages, log, clock });
  }
  const onScrape = (collect: () => void): (() => void) => registry.onCollect(collect);
  const program: Program = { scope, log, clock, metrics, problems, onScrape, stop };
  return await mode.run(program, settings, (met) => health.right(met));
}

const levels: readonly string[] = ['debug', 'info', 'warn', 'error'] satisfies readonly Level[];
const isLevel = (word: string): word is Level => levels.includes(word);

function applyLogLevel(log: RootLog, word: string): void {
  if (isLevel(word)) log.setLevel(word);
  else log.say(processMessages.unknownLogLevel, { value: word });
}

/** The contract's words first; what is wrong besides stands below them. */
function readyPage(health: Health<Gates>, problems: Problems): Pages[string] {
  return () => {
    const gates = health.gates();
    const open = problems.list().map(problemLine);
    if (gates.length === 0) return plainText(200, 'ok');
    if (health.ready) return plainText(200, ['ready', ...open].join('\n'));
    return plainText(503, [...gates.map(([name, met]) => `${name}: ${met}`), ...open].join('\n'));
  };
}
