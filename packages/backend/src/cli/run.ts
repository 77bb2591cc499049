/** What the program does before it is a daemon: say who it is, what it makes of its configuration, or ask the one that runs. */
import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { type BuildInfo, CodedError, systemClock } from '@berth/service';
import type { Environment } from '@berth/service/config';
import { createLog, errorText, textFormat } from '@berth/service/log';
import {
  type Command,
  type Config,
  type ConfigReading,
  configFrom,
  configWarnings,
  parseCommandLine,
  printedConfig,
  readConfig,
  usage,
} from '../config/index.ts';

export interface CommandLineHost {
  readonly env: Environment;
  readonly build: BuildInfo;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Runs the backend until it ends; resolves with its exit code. */
  readonly serve: (configFile: string) => Promise<number>;
}

/** The exit code: 0 done, 1 the configuration cannot be used, 2 the command line cannot be understood. */
export async function runCommandLine(argv: readonly string[], host: CommandLineHost): Promise<number> {
  const command: Command = parseCommandLine(argv);
  switch (command.kind) {
    case 'version':
      host.out(`docker-backend version ${host.build.version}\n`);
      return 0;
    case 'help':
      host.out(usage);
      return 0;
    case 'mistake':
      host.err(`${command.problem}\n\n${usage}`);
      return 2;
    case 'check':
    case 'print':
      return await showConfig(command.kind, command.configFile, host);
    case 'call':
      return await call(command, host);
    case 'serve':
      return await host.serve(command.configFile);
    case 'backup':
    case 'import':
    case 'recover':
      return await maintain(command, host);
  }
}

type Maintenance = Extract<Command, { readonly kind: 'backup' | 'import' | 'recover' }>;

/** The exit code: 0 done, 1 not (wholly) done, with the reason. */
async function maintain(command: Maintenance, host: CommandLineHost): Promise<number> {
  try {
    const config = configFrom(await readConfig(command.configFile, host.env));
    // Loaded when it is needed: a daemon takes none of it.
    const { backupCommand, importCommand, recoverCommand } = await import('../maintenance/index.ts');
    const log = createLog({ sink: textSink(host.err), format: textFormat, level: 'warn' });
    const tools = { out: host.out, now: () => systemClock.now(), log };
    switch (command.kind) {
      case 'backup':
        return await backupCommand(config, command, tools);
      case 'import':
        return importCommand(config, command, tools);
      case 'recover':
        return await recoverCommand(config, command, tools);
    }
  } catch (error) {
    host.err(`${error instanceof CodedError ? explained(error) : errorText(error)}\n`);
    return 1;
  }
}

const textSink = (write: (text: string) => void) => ({
  write: (line: string) => write(line.endsWith('\n') ? line : `${line}\n`),
  flush: () => undefined,
  takeDropped: () => 0,
});

async function showConfig(kind: 'check' | 'print', file: string, host: CommandLineHost): Promise<number> {
  let reading: ConfigReading;
  try {
    reading = await readConfig(file, host.env);
  } catch (error) {
    host.err(`${error instanceof CodedError ? explained(error) : errorText(error)}\n`);
    return 1;
  }
  const { values, problems, given } = reading;
  for (const { text } of problems) host.err(`${text}\n`);
  if (values === undefined) return 1;
  for (const warning of warningsOf(reading)) host.err(`warning: ${warning}\n`);
  host.out(kind === 'check' ? `${file} is good\n` : printedConfig(values, given));
  return 0;
}

/** Sends one request and shows the answer: the body to standard output, the status beside it. */
async function call(
  { configFile, method, target, dataFile }: Extract<Command, { kind: 'call' }>,
  host: CommandLineHost,
): Promise<number> {
  let config: Config;
  try {
    config = configFrom(await readConfig(configFile, host.env));
  } catch (error) {
    host.err(`${error instanceof CodedError ? explained(error) : errorText(error)}\n`);
    return 1;
  }
  try {
    const { callBackend } = await import('./call.ts');
    const body = dataFile === undefined ? '' : await dataOf(dataFile);
    const { status, text } = await callBackend(
      config,
      { method, target, body: Buffer.from(body) },
      Date.now(),
    );
    if (text !== '') host.out(text.endsWith('\n') ? text : `${text}\n`);
    host.err(`${status}\n`);
    return status >= 200 && status < 300 ? 0 : 1;
  } catch (error) {
    host.err(`${method} ${target} on ${config.listenAddr}: ${errorText(error)}\n`);
    return 1;
  }
}

const dataOf = (file: string): Promise<string> =>
  file === '-' ? textOf(process.stdin) : readFile(file, 'utf8');

const explained = (error: CodedError): string => `${errorText(error)}. ${error.remedy}`;

function warningsOf(reading: ConfigReading): readonly string[] {
  const unknown = reading.unknown.map(({ key, meant, place }) => {
    const line = place === undefined ? '' : ` in line ${place.line}`;
    return `${key}${line} is no known key and has no effect${meant === undefined ? '' : `; is ${meant} meant?`}`;
  });
  return [...unknown, ...configWarnings(configFrom(reading))];
}
