/** `anchord config check | print`: what a mode makes of its settings, without running it. */
import { endpointFromEnvironment } from '@berth/engine';
import { CodedError, parseHostPort, systemClock } from '@berth/service';
import { type Environment, nearest, type Problem } from '@berth/service/config';
import type { CommandLineHost, Given } from '../cli/command.ts';
import { columns } from '../cli/text.ts';
import type { DaemonMode } from '../config/daemon-mode.ts';
import { readInvocation } from '../config/mode.ts';
import { type ModeSettings, settingsOfModes } from '../config/modes.ts';
import { askStatus } from '../status/index.ts';

/** 0: they can be used, whatever was warned of. 1: they cannot. */
export async function configCheck(given: Given, host: CommandLineHost): Promise<number> {
  const chosen = await choose(given, host);
  if (chosen === undefined) return 1;
  const { mode, settings } = chosen;
  if (!sound(settings, host)) return 1;
  for (const warning of warnings(settings, host.env)) host.err(`warning: ${warning}\n`);
  const set = settings.show(host.env).filter(({ source }) => source === 'environment').length;
  host.out(`the settings of ${mode} can be used (${set} set, the others at their defaults)\n`);
  return 0;
}

export async function configPrint(given: Given, host: CommandLineHost): Promise<number> {
  const chosen = await choose(given, host);
  if (chosen === undefined || !sound(chosen.settings, host)) return 1;
  const shown = chosen.settings.show(host.env);
  if (given.flags.has('--json')) {
    host.out(`${JSON.stringify({ mode: chosen.mode, settings: shown }, undefined, 2)}\n`);
  } else {
    host.out(`# ${chosen.mode}\n${columns(shown.map(({ key, source, value }) => [key, source, value]))}\n`);
  }
  return 0;
}

interface Chosen {
  readonly mode: DaemonMode;
  readonly settings: ModeSettings;
}

/** The mode that was named, else that of the process beside us, else what the environment makes it. */
async function choose({ values }: Given, { env, err }: CommandLineHost): Promise<Chosen | undefined> {
  const named = values.get('--mode')?.[0] ?? (env['ANCHORD_MODE'] || undefined) ?? (await modeBesideUs());
  const { mode } = readInvocation(named === undefined ? [] : [named], {});
  const settings = mode === 'doctor' ? undefined : settingsOfModes[mode];
  if (mode !== 'doctor' && settings !== undefined) return { mode, settings };
  err(`anchord: ${mode} has no settings of its own; name another mode with --mode\n`);
  return undefined;
}

async function modeBesideUs(): Promise<string | undefined> {
  const status = await askStatus(systemClock);
  return typeof status === 'string' ? undefined : status.mode;
}

function sound({ check }: ModeSettings, { env, err }: CommandLineHost): boolean {
  try {
    check(env);
    return true;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const problems = error.details['problems'] as readonly Problem[] | undefined;
    for (const text of problems?.map((problem) => problem.text) ?? [error.message]) err(`${text}\n`);
    return false;
  }
}

/** Labels of letters, digits and dashes, as names of hosts in the DNS have them. */
const isHostName = (text: string): boolean =>
  text.length <= 253 && /^(?!-)[a-z\d-]{1,63}(?<!-)(\.(?!-)[a-z\d-]{1,63}(?<!-))*$/i.test(text);

/** What has no effect, or an effect that nobody can want; none of it keeps a mode from running. */
function* warnings({ keys }: ModeSettings, env: Environment): Generator<string> {
  const known = new Set(Object.values(settingsOfModes).flatMap((settings) => settings.keys));
  for (const name of Object.keys(env)
    .filter((key) => key.startsWith('ANCHORD_'))
    .sort()) {
    if (known.has(name)) {
      if (!keys.includes(name)) yield `${name} is a setting of another mode and has no effect`;
      continue;
    }
    const meant = nearest(name, known);
    yield `${name} is no known setting and has no effect${meant === undefined ? '' : `; is ${meant} meant?`}`;
  }
  const level = env['ANCHORD_LOG_LEVEL'] || 'info';
  if (!['debug', 'info', 'warn', 'error'].includes(level)) {
    yield `ANCHORD_LOG_LEVEL is ${JSON.stringify(level)}, which counts as "info"`;
  }
  const address = env['ANCHORD_METRICS_ADDR'] || '127.0.0.1:9090';
  const parsed = parseHostPort(address);
  if (typeof parsed === 'string') yield `ANCHORD_METRICS_ADDR: ${parsed}; nothing will be served`;
  const hostname = env['ANCHORD_DHCP_HOSTNAME'] ?? '';
  if (keys.includes('ANCHORD_DHCP_HOSTNAME') && hostname !== '' && !isHostName(hostname)) {
    yield `ANCHORD_DHCP_HOSTNAME is ${JSON.stringify(hostname)}, which is no host name; it is announced as it is, and a server may refuse or change it`;
  }
  if (!keys.includes('DOCKER_HOST')) return;
  try {
    endpointFromEnvironment(env);
  } catch (error) {
    yield error instanceof Error ? error.message : String(error);
  }
}
