/** `anchord doctor all`: opens what the doctor looks at, examines, mends on demand, and reports. */
import { connectEngine } from '@berth/engine';
import { Network } from '@berth/kernel/network';
import { Scope, systemClock } from '@berth/service';
import type { Environment } from '@berth/service/config';
import { errorText } from '@berth/service/log';
import type { CommandLineHost, Given } from '../cli/command.ts';
import { networkAnchorSettings, serviceAnchorSettings } from '../config/settings.ts';
import { anchorBesideUs } from '../doctor/beside-us.ts';
import { examine } from '../doctor/examine.ts';
import { carryOut, described, stepsOf } from '../doctor/fix.ts';
import { exitCodeOf, type Report, type Step } from '../doctor/outcome.ts';
import { isCheck, reportJson, reportText } from '../doctor/report.ts';
import { Site } from '../doctor/site.ts';
import { askStatus, ownMounts, type Status } from '../status/index.ts';

const mostRounds = 2;
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** As a shell shows what Ctrl-C has ended. */
const interruptedExit = 130;

export async function doctorAll({ flags, values }: Given, host: CommandLineHost): Promise<number> {
  const { out, err, env } = host;
  const dryRun = flags.has('--dry-run');
  if (dryRun && !flags.has('--fix')) {
    err('anchord: --dry-run goes with --fix\nTry: anchord doctor all --help\n');
    return 2;
  }
  const only = values.get('--only')?.filter(isCheck);
  const scope = new Scope('doctor', () => undefined);
  try {
    let site = await openSite(scope, env);
    let reports = await examine(site, only);
    const steps = stepsOf(reports);
    if (flags.has('--fix')) {
      const say = flags.has('--json') ? err : out;
      if (steps.length === 0) say('nothing that can be mended from here\n');
      if (dryRun) for (const step of steps) say(`would ${described(step)}\n`);
      const lookAgain = async (): Promise<readonly Report[]> => {
        site = await openSite(scope, env);
        reports = await examine(site, only);
        return reports;
      };
      if (!dryRun && !(await mendAll(steps, () => site, lookAgain, say))) return interruptedExit;
      say('\n');
    }
    out(flags.has('--json') ? reportJson(site.parts.role, reports) : reportText(site.parts.role, reports));
    return exitCodeOf(reports);
  } finally {
    await scope.close();
  }
}

/** False: a signal has stopped it. */
async function mendAll(
  first: readonly Step[],
  site: () => Site,
  lookAgain: () => Promise<readonly Report[]>,
  say: (text: string) => void,
): Promise<boolean> {
  let steps = first;
  for (let round = 0; round < mostRounds && steps.length > 0; round++) {
    const left = await mend(steps, site(), say);
    if (left > 0) {
      say(`stopped by a signal; not done: ${left}\n`);
      return false;
    }
    const reports = await lookAgain();
    // What was put back may have to be mended in its turn.
    steps = steps.some((step) => step.do === 'end repair') ? stepsOf(reports) : [];
  }
  return true;
}

/** One after another; a signal stops it between two steps. Resolves to how many were left. */
async function mend(steps: readonly Step[], site: Site, say: (text: string) => void): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  // A second one has its usual effect.
  for (const name of endings) process.once(name, onSignal);
  try {
    for (const [at, step] of steps.entries()) {
      if (stop.signal.aborted) return steps.length - at;
      say(`${described(step)}: ${await result(() => carryOut(step, site, stop.signal))}\n`);
    }
    return 0;
  } finally {
    for (const name of endings) process.off(name, onSignal);
  }
}

async function result(act: () => Promise<void>): Promise<string> {
  try {
    await act();
    return 'done';
  } catch (error) {
    return `failed: ${errorText(error)}`;
  }
}

async function openSite(scope: Scope, env: Environment): Promise<Site> {
  const clock = systemClock;
  const besideUs = anchorBesideUs();
  const status = besideUs?.stopped === true ? stoppedText(besideUs.pid) : await answerBesideUs(clock);
  const role = (typeof status === 'string' ? besideUs?.mode : roleOf(status)) ?? 'outside';
  return new Site({
    role,
    status,
    engine: connectEngine(scope, { env, clock }),
    network: scope.own(Network.open()),
    clock,
    signal: scope.signal,
    anchor: role === 'network-anchor' ? settingsOr(() => networkAnchorSettings(env)) : undefined,
    serviceAnchor: role === 'service-anchor' ? settingsOr(() => serviceAnchorSettings(env)) : undefined,
  });
}

const stoppedText = (pid: number): string => `process ${pid} was stopped by a signal; SIGCONT lets it go on`;

async function answerBesideUs(clock: Parameters<typeof askStatus>[0]): Promise<Status | string> {
  const answer = await askStatus(clock);
  const isOurs = typeof answer === 'string' || answer.mounts === ownMounts();
  return isOurs ? answer : 'the anchor of another container answers';
}

const roles = ['network-anchor', 'service-anchor', 'external-rebinder', 'wrap-rebinder'] as const;
const roleOf = ({ mode }: Status) => roles.find((role) => role === mode);

function settingsOr<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    return errorText(error);
  }
}
