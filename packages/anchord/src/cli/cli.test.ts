import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands, modeNames } from './commands.ts';
import { completionScript } from './completion.ts';
import { commandHelp, programHelp } from './help.ts';
import { manualPage } from './manual.ts';
import { commandsPage } from './page.ts';
import { runTool, toolNames } from './run.ts';

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const host = {
    env,
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
  };
  const code = await runTool(argv, host);
  return { code, out: out.join(''), err: err.join('') };
}

describe('the table of commands', () => {
  it('has exactly the commands that can be carried out', () => {
    const tools = commands.filter(({ kind }) => kind === 'tool').map(({ name }) => name);
    expect(tools.toSorted()).toEqual(toolNames.toSorted());
    expect(commands.filter(({ kind }) => kind === 'mode').map(({ name }) => name)).toEqual([...modeNames]);
  });

  it('shows an example for each, and what each exit code says', () => {
    for (const { name, examples, exits, summary } of commands) {
      expect(Object.keys(exits).length, name).toBeGreaterThan(0);
      expect(examples.length > 0 || name === 'version', name).toBe(true);
      expect(summary.endsWith('.'), name).toBe(true);
    }
  });
});

describe('help', () => {
  it('fits on a screen of 80 columns, but for command lines that are to be copied', () => {
    const copied = new Set(commands.flatMap(({ examples }) => examples.map(({ line }) => `    ${line}`)));
    const texts = [programHelp(commands), ...commands.map(commandHelp)];
    const long = texts
      .flatMap((text) => text.split('\n'))
      .filter((line) => line.length > 80 && !copied.has(line));
    expect(long).toEqual([]);
  });

  it.each([['--help'], ['-h'], ['help']])('of the program names every command: %s', async (word) => {
    const { code, out, err } = await run([word]);
    expect([code, err]).toEqual([0, '']);
    for (const { name } of commands) expect(out).toContain(`\n  ${name} `);
  });

  // Whatever stands behind stale-netns is an error, by the contract.
  const withHelp = commands.filter(({ name }) => name !== 'doctor stale-netns');
  it.each(withHelp.map(({ name }) => [name]))('of %s stands behind it', async (name) => {
    const { code, out } = await run([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toContain(`Usage: anchord ${name}`);
  });
});

describe('a command line that makes no sense', () => {
  it.each([
    [['status', '--jsn'], 'unknown option "--jsn"; did you mean "--json"?'],
    [['status', 'now'], 'unexpected argument "now"'],
    [['status', '--json=yes'], '--json takes no value'],
    [['completion'], 'SHELL is missing: bash, zsh, fish'],
    [['completion', 'zhs'], 'SHELL cannot be "zhs"; did you mean "zsh"?'],
    [['config'], 'config wants check or print'],
    [['config', 'chekc'], 'config wants check or print, not "chekc"; did you mean "check"?'],
    [['config', 'check', '--mode'], '--mode wants MODE'],
    [['config', 'check', '--mode=service'], '--mode cannot be "service"'],
    [['config', 'check', '--mode', 'service-anchor', '--mode', 'service-anchor'], '--mode may be given once'],
  ])('is answered with what was probably meant, exit code 2: %j', async (argv, problem) => {
    const { code, out, err } = await run(argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(problem);
    expect(err).toMatch(/\nTry: anchord .*--help\n$/);
  });

  it('is an unknown mode when its first word is no command, in the words that it always had', async () => {
    await expect(run(['docter'])).rejects.toMatchObject({
      message:
        'unknown mode "docter" (want "network-anchor", "service-anchor", "doctor", "external-rebinder", or "wrap-rebinder")',
      code: 'MODE_UNKNOWN',
      remedy: expect.stringMatching(/^Did you mean "doctor"\? /),
    });
    await expect(run([], { ANCHORD_MODE: 'servce-anchor' })).rejects.toMatchObject({
      message: expect.stringContaining('unknown mode "servce-anchor"'),
      remedy: expect.stringMatching(/^Did you mean "service-anchor"\? /),
    });
  });
});

describe('the doctor by the contract', () => {
  it.each([
    [['doctor'], {}],
    [['doctor', '-h'], {}],
    [['doctor', '--help'], {}],
    [[], { ANCHORD_MODE: 'doctor' }],
    [['--help'], { ANCHORD_MODE: 'doctor' }],
  ] as const)('shows its usage on stderr and ends with 0: %j %j', async (argv, env) => {
    const { code, out, err } = await run(argv, env);
    expect([code, out]).toEqual([0, '']);
    expect(err).toMatch(/^Usage: anchord doctor <subcommand>\n\nSubcommands:\n {2}stale-netns +\S/);
  });

  it('refuses another subcommand after its usage, and anything behind stale-netns', async () => {
    await expect(run(['doctor', 'netns'])).rejects.toMatchObject({
      message: 'unknown doctor subcommand "netns"',
    });
    await expect(run(['doctor', 'stale-netns', '--json', 'x'])).rejects.toMatchObject({
      message: 'doctor stale-netns: unexpected arguments --json x',
    });
  });
});

describe('pages made from the table', () => {
  const committed = (name: string): string =>
    readFileSync(join(import.meta.dirname, '../../../../docs/reference', name), 'utf8');

  it('are committed as they are', () => {
    expect(committed('anchord-commands.md')).toBe(commandsPage(commands));
    expect(committed('anchord.1')).toBe(manualPage(commands));
  });

  it('complete the same words in each shell', () => {
    for (const shell of ['bash', 'zsh', 'fish'] as const) {
      const script = completionScript(shell, commands);
      for (const { name, options } of commands) {
        for (const word of name.split(' ')) expect(script, shell).toContain(word);
        for (const { flag } of options) expect(script, shell).toContain(flag.slice(shell === 'fish' ? 2 : 0));
      }
    }
  });
});
