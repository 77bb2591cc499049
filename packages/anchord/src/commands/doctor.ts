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
import { exitCodeOf } from '../doctor/outcome.ts';
import { isCheck, reportJson, reportText } from '../doctor/report.ts';
import { Site } from '../doctor/site.ts';
import { askStatus, ownMounts, type Status } from '../status/index.ts';

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
    if (flags.has('--fix')) {
      const steps = stepsOf(reports);
      const say = flags.has('--json') ? err : out;
      for (const step of steps) {
        if (dryRun) say(`would ${described(step)}\n`);
        else say(`${described(step)}: ${await result(() => carryOut(step, site))}\n`);
      }
      if (steps.length === 0) say('nothing that can be mended from here\n');
      say('\n');
      if (!dryRun && steps.length > 0) {
        site = await openSite(scope, env);
        reports = await examine(site, only);
      }
    }
    out(flags.has('--json') ? reportJson(site.parts.role, reports) : reportText(site.parts.role, reports));
    return exitCodeOf(reports);
  } finally {
    await scope.close();
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
  const answer = await askStatus(clock);
  const status: Status | string =
    typeof answer === 'string' || answer.mounts === ownMounts()
      ? answer
      : 'the anchor of another container answers';
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

const roles = ['network-anchor', 'service-anchor', 'external-rebinder', 'wrap-rebinder'] as const;
const roleOf = ({ mode }: Status) => roles.find((role) => role === mode);

function settingsOr<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    return errorText(error);
  }
}
