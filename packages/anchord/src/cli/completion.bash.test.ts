import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { commands } from './commands.ts';
import { completionScript } from './completion.ts';

/** What bash itself makes of the script when somebody presses the tab key behind these words. */
function completed(...words: readonly string[]): readonly string[] {
  const script = `${completionScript('bash', commands)}
COMP_WORDS=(anchord "$@"); COMP_CWORD=$#; _anchord; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...words], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim().split('\n');
}

it('completes commands, their second words, their options, and the words that an option takes', () => {
  expect(completed('st')).toEqual(['status']);
  expect(completed('config', '')).toEqual(['check', 'print']);
  expect(completed('status', '--')).toEqual(['--json', '--help']);
  expect(completed('completion', 'z')).toEqual(['zsh']);
  expect(completed('config', 'check', '--mode', 'w')).toEqual(['wrap-rebinder']);
});
