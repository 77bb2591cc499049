/** `npm run lab -- …`: the lab by hand. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { CodedError } from '@berth/service';
import { labErrors } from './errors.ts';
import { type Lab, openLab } from './lab.ts';
import { defaultLabName, type LabName, labName, namespaceName } from './names.ts';
import { inNamespace } from './network/namespace.ts';
import { defaultSpec, type EngineVersion, type HostSpec, type LabSpec } from './spec.ts';
import { statusLines, statusOf } from './status.ts';
import type { Argv } from './tools/run.ts';
import { bringUp, takeDown } from './up.ts';
import { buildVm, runInVm } from './vm/index.ts';

const help = `The lab: a real Docker host on a real LAN, in namespaces of its own. Needs Linux and root.

  npm run lab -- up                 bring the lab up, or mend what is broken
  npm run lab -- down               remove all of it, also after a crash
  npm run lab -- status [--json]    what there is
  npm run lab -- shell PLACE        a shell on a place: host1, client1, lan (the router), inet
  npm run lab -- exec PLACE -- ARGV run one command there
  npm run lab -- logs HOST          what the host's Docker engine said (logs lan: the DHCP server)
  npm run lab -- vm build           make a virtual machine with a whole Debian kernel, and keep it
  npm run lab -- vm run -- ARGV     boot it, run one command in it as root in this folder (read only), and turn it off

Options:
  --name NAME        which lab; default: $BERTH_LAB or "berth"
  --engine VERSION   20.10 (default), 26, or both (two hosts)
  --hosts N          how many hosts (default 1)
  --clients N        how many clients on the LAN (default 2)
  --silent           nobody on the LAN answers DHCP
  --json             status as JSON

On a host, docker talks to the host's own engine at /var/run/docker.sock, as everywhere.
`;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface Options {
  readonly engine?: string | undefined;
  readonly hosts?: string | undefined;
  readonly clients?: string | undefined;
  readonly silent?: boolean | undefined;
}

function specFrom({ engine = '20.10', hosts, clients, silent = false }: Options): LabSpec {
  const engines: readonly EngineVersion[] =
    engine === 'both' ? ['20.10', '26'] : engine === '20.10' || engine === '26' ? [engine] : [];
  if (engines.length === 0)
    throw labErrors.error('BAD_SPEC', `--engine ${engine} is none of 20.10, 26, both`);
  const count = wholeNumber('--hosts', hosts ?? String(engines.length));
  return {
    ...defaultSpec,
    hosts: Array.from({ length: count }, (_, index): HostSpec => {
      return { name: `host${index + 1}`, engine: engines[index % engines.length] ?? '20.10' };
    }),
    clients: wholeNumber('--clients', clients ?? String(defaultSpec.clients)),
    lan: silent ? { ...defaultSpec.lan, dhcp: false } : defaultSpec.lan,
  };
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 9)
    throw labErrors.error('BAD_SPEC', `${option} ${text} is not a number from 0 to 9`);
  return value;
}

/** Runs a command on a place in the foreground, with our own terminal. */
function runAt(lab: Lab, place: string, argv: Argv): Promise<number> {
  if (!place.startsWith('host')) return foreground(inNamespace(namespaceName(lab.name, place), argv), {});
  const host = lab.host(place);
  return foreground(host.argv(argv), host.environment);
}

function foreground(argv: Argv, env: Readonly<Record<string, string>>): Promise<number> {
  const [command, ...args] = argv;
  return new Promise((resolve, reject) => {
    // The terminal tells the whole foreground group; we only have to outlive the child.
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => undefined);
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

async function logs(lab: Lab, place: string): Promise<void> {
  const file = place === 'lan' ? lab.lan.logFile : lab.host(place).engineLog;
  process.stdout.write(await readFile(file));
}

async function virtualMachine(what: string, [program, ...args]: readonly string[]): Promise<number> {
  if (what === 'build') {
    await buildVm(say);
    return 0;
  }
  if (what !== 'run' || program === undefined)
    throw labErrors.error('BAD_SPEC', 'vm needs "build", or "run" and a command');
  const onOutput = (chunk: Buffer): void => void process.stdout.write(chunk);
  const hourMs = 3_600_000;
  const run = { share: process.cwd(), onOutput, timeoutMs: hourMs, say };
  return (await runInVm([program, ...args], run)).code;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      engine: { type: 'string' },
      hosts: { type: 'string' },
      clients: { type: 'string' },
      silent: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [command, place = 'host1', ...argv] = positionals;
  if (values.help === true || command === undefined) {
    process.stdout.write(help);
    return values.help === true ? 0 : 2;
  }
  const name = values.name === undefined ? defaultLabName() : labName(values.name);
  return perform(command, { name, place, argv, values });
}

interface Asked {
  readonly name: LabName;
  readonly place: string;
  readonly argv: readonly string[];
  readonly values: Options & { readonly json?: boolean | undefined };
}

async function perform(command: string, { name, place, argv, values }: Asked): Promise<number> {
  switch (command) {
    case 'up': {
      await bringUp(name, specFrom(values), { say });
      process.stdout.write(`${statusLines(await statusOf(name)).join('\n')}\n`);
      return 0;
    }
    case 'down': {
      const was = await takeDown(name, say);
      process.stdout.write(was ? `The lab ${name} is down.\n` : `There is no lab ${name}.\n`);
      return 0;
    }
    case 'status': {
      const status = await statusOf(name);
      process.stdout.write(
        values.json === true
          ? `${JSON.stringify(status, undefined, 2)}\n`
          : `${statusLines(status).join('\n')}\n`,
      );
      return status.state === 'up' ? 0 : 1;
    }
    case 'shell':
      return runAt(await openLab(name), place, ['/bin/bash', '-i']);
    case 'exec': {
      const [program, ...args] = argv;
      if (program === undefined) throw labErrors.error('BAD_SPEC', 'exec needs a place and a command');
      return runAt(await openLab(name), place, [program, ...args]);
    }
    case 'vm':
      return await virtualMachine(place, argv);
    case 'logs':
      await logs(await openLab(name), place);
      return 0;
    default:
      process.stderr.write(`unknown command "${command}"\n\n${help}`);
      return 2;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const remedy = error instanceof CodedError ? `\n${error.remedy}` : '';
  say(`lab: ${error instanceof Error ? error.message : String(error)}${remedy}`);
  process.exitCode = 1;
}
