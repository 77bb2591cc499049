import { runShell } from '@berth/lab/testing';
import { describe, expect, it } from 'vitest';
import { commands } from './commands.ts';
import { completionScript } from './completion.ts';

const say = (line: string): void => void process.stdout.write(`  ${line}\n`);
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** What fish offers when somebody presses the tab key behind this line. */
async function inFish(line: string): Promise<readonly string[]> {
  const script = `${completionScript('fish', commands)}\ncomplete -C ${quoted(line)}`;
  const offers = (await runShell('fish', script, say)).trimEnd().split('\n');
  return offers.map((offer) => offer.split('\t')[0] ?? '').toSorted();
}

/** What our function adds in zsh, before zsh picks what fits to the last word. */
async function inZsh(line: string): Promise<readonly string[]> {
  const script = `
    compdef() { : }
    compadd() { [[ $1 == -- ]] && shift; print -l -- "$@" }
    _describe() { print -l -- "\${(@P)2%%:*}" }
    ${completionScript('zsh', commands)}
    words=(${line.split(' ').map(quoted).join(' ')}); CURRENT=$#words
    _anchord`;
  return (await runShell('zsh', script, say)).trimEnd().split('\n').toSorted();
}

type Case = readonly [line: string, offers: string];

const cases: readonly Case[] = [
  ['anchord config ', 'check print'],
  ['anchord status --', '--help --json'],
  ['anchord doctor ', 'all stale-netns'],
];

describe('fish', () => {
  it.each<Case>([
    ...cases,
    ['anchord st', 'status'],
    ['anchord completion z', 'zsh'],
    ['anchord config check --mode w', 'wrap-rebinder'],
    ['anchord doctor all --only port-', 'port-conflict'],
  ])('completes "%s"', async (line, offers) => {
    expect(await inFish(line)).toEqual(offers.split(' '));
  });
});

describe('zsh', () => {
  it.each<Case>([
    ...cases,
    ['anchord completion ', '--help bash fish zsh'],
    ['anchord config check --mode ', 'external-rebinder network-anchor service-anchor wrap-rebinder'],
  ])('completes "%s"', async (line, offers) => {
    expect(await inZsh(line)).toEqual(offers.split(' '));
  });

  it('offers each first word', async () => {
    const first = new Set(commands.map(({ name }) => name.split(' ')[0]));
    expect(await inZsh('anchord ')).toEqual([...first].toSorted());
  });
});
