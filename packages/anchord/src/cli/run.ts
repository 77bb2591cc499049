/** Carries out a command that is no mode: one look or one answer, and the exit code. */
import { buildInfo, CodedError } from '@berth/service';
import { type Environment, nearest } from '@berth/service/config';
import { readInvocation } from '../config/mode.ts';
import { anchordErrors } from '../errors.ts';
import type { CommandLineHost, Given, Tool } from './command.ts';
import { commands, shells } from './commands.ts';
import { completionScript } from './completion.ts';
import { commandHelp, programHelp } from './help.ts';
import { manualPage } from './manual.ts';
import { isHelp, parse } from './parse.ts';

const usageExit = 2;

/** Throws `MODE_UNKNOWN`, and `DOCTOR_USAGE`, both of which end with exit code 1. */
export async function runTool(argv: readonly string[], host: CommandLineHost): Promise<number> {
  const words = withDoctor(argv, host.env);
  const [first = ''] = words;
  if (first === '--version') return await tools['version'](nothing, host);
  if (first === 'doctor') {
    const answered = doctorByTheContract(words.slice(1), host);
    if (answered !== undefined) return answered;
  }
  const parsed = parse(commands, words);
  switch (parsed.kind) {
    case 'help':
      host.out(parsed.command === undefined ? programHelp(commands) : commandHelp(parsed.command));
      return 0;
    case 'mistake': {
      if (parsed.command === undefined && !isGroup(first)) throw unknownMode(words, host.env);
      const about = parsed.command?.name ?? first;
      host.err(
        `anchord: ${parsed.problem}\nTry: anchord ${parsed.command === undefined ? '' : `${about} `}--help\n`,
      );
      return usageExit;
    }
    case 'run':
      return await tools[parsed.command.name as ToolName](parsed.given, host);
  }
}

/** The variable names the doctor, and no word does. */
function withDoctor(argv: readonly string[], env: Environment): readonly string[] {
  const [first = ''] = argv;
  const byVariable = env['ANCHORD_MODE'] === 'doctor' && (first === '' || first.startsWith('-'));
  if (!byVariable || first === '--version') return argv;
  return ['doctor', ...argv.filter((word) => word !== '')];
}

const isGroup = (first: string): boolean => commands.some(({ name }) => name.startsWith(`${first} `));

function unknownMode(argv: readonly string[], env: Environment): Error {
  const [first = ''] = argv;
  const names = commands.map(({ name }) => name.split(' ')[0] ?? name);
  const written = first.startsWith('-') || first === '' ? (env['ANCHORD_MODE'] ?? '') : first;
  try {
    readInvocation(argv, env);
  } catch (error) {
    const meant = nearest(written, names);
    if (!anchordErrors.is(error, 'MODE_UNKNOWN') || meant === undefined) throw error;
    return new CodedError(
      error.code,
      error.message,
      `Did you mean ${JSON.stringify(meant)}? ${error.remedy}`,
    );
  }
  return anchordErrors.error('MODE_UNKNOWN', `unknown command ${JSON.stringify(written)}`);
}

const doctorUsage = `Usage: anchord doctor <subcommand>

Subcommands:
  stale-netns   list containers that sit in the network of a container that is gone
  all           check everything; anchord doctor all --help says more
`;

/** What scripts rely on, as it always was; undefined: go on as with any other command. */
function doctorByTheContract(args: readonly string[], { err }: CommandLineHost): number | undefined {
  const [subcommand, ...rest] = args;
  if (subcommand === undefined || subcommand === '' || isHelp(subcommand)) {
    err(doctorUsage);
    return 0;
  }
  if (subcommand === 'all') return undefined;
  if (subcommand !== 'stale-netns') {
    err(doctorUsage);
    throw anchordErrors.error('DOCTOR_USAGE', `unknown doctor subcommand ${JSON.stringify(subcommand)}`);
  }
  if (rest.length > 0) {
    throw anchordErrors.error('DOCTOR_USAGE', `doctor stale-netns: unexpected arguments ${rest.join(' ')}`);
  }
  return undefined;
}

const nothing: Given = { argument: undefined, flags: new Set(), values: new Map() };

/** Each loads only what it needs. */
const tools = {
  'doctor stale-netns': async (_, host) => {
    const { staleNetns } = await import('../commands/stale-netns.ts');
    return await staleNetns(host);
  },
  'doctor all': async (given, host) => {
    const { doctorAll } = await import('../commands/doctor.ts');
    return await doctorAll(given, host);
  },
  status: async (given, host) => {
    const { status } = await import('../commands/status.ts');
    return await status(given, host);
  },
  health: async (_, { env, out }) => {
    const { health } = await import('../commands/health.ts');
    return await health(env, (line) => out(`${line}\n`));
  },
  'config check': async (given, host) => {
    const { configCheck } = await import('../commands/config.ts');
    return await configCheck(given, host);
  },
  'config print': async (given, host) => {
    const { configPrint } = await import('../commands/config.ts');
    return await configPrint(given, host);
  },
  completion: async ({ argument }, { out }) => {
    const shell = shells.find((known) => known === argument) ?? 'bash';
    out(completionScript(shell, commands));
    return 0;
  },
  help: async ({ flags }, { out }) => {
    out(flags.has('--man') ? manualPage(commands) : programHelp(commands));
    return 0;
  },
  version: async (_, { out }) => {
    out(`anchord ${buildInfo.version} (${buildInfo.commit})\n`);
    return 0;
  },
} satisfies Readonly<Record<string, Tool>>;

type ToolName = keyof typeof tools;
export const toolNames: readonly string[] = Object.keys(tools);
