import { describe, expect, it } from 'vitest';
import { type Command, parseCommandLine } from './command-line.ts';

describe('the command line', () => {
  it.each<[string, Command]>([
    ['', { kind: 'serve', configFile: 'docker-backend.yaml' }],
    ['-config a.yaml', { kind: 'serve', configFile: 'a.yaml' }],
    ['--config=a.yaml', { kind: 'serve', configFile: 'a.yaml' }],
    ['config check -config a.yaml', { kind: 'check', configFile: 'a.yaml' }],
    ['-config a.yaml config print', { kind: 'print', configFile: 'a.yaml' }],
    ['-version', { kind: 'version' }],
    ['--version', { kind: 'version' }],
    ['-h', { kind: 'help' }],
    ['-help -nonsense', { kind: 'help' }],
    ['-nonsense', { kind: 'mistake', problem: 'unknown flag: -nonsense' }],
    ['-config', { kind: 'mistake', problem: 'flag needs a file: -config' }],
    ['config', { kind: 'mistake', problem: 'unknown command: config' }],
    ['serve', { kind: 'mistake', problem: 'unknown command: serve' }],
  ])('%j', (line, command) => {
    expect(parseCommandLine(line.split(' ').filter((word) => word !== ''))).toEqual(command);
  });
});
