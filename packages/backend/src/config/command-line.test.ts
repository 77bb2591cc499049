import { describe, expect, it } from 'vitest';
import { type Command, parseCommandLine } from './command-line.ts';

describe('the command line', () => {
  it.each<[string, Command]>([
    ['', { kind: 'serve', configFile: 'docker-backend.yaml' }],
    ['-config a.yaml', { kind: 'serve', configFile: 'a.yaml' }],
    ['--config=a.yaml', { kind: 'serve', configFile: 'a.yaml' }],
    ['config check -config a.yaml', { kind: 'check', configFile: 'a.yaml' }],
    ['-config a.yaml config print', { kind: 'print', configFile: 'a.yaml' }],
    [
      'call GET /stats -config a.yaml',
      { kind: 'call', configFile: 'a.yaml', method: 'GET', target: '/stats', dataFile: undefined },
    ],
    [
      'call -data - POST /deprovision',
      {
        kind: 'call',
        configFile: 'docker-backend.yaml',
        method: 'POST',
        target: '/deprovision',
        dataFile: '-',
      },
    ],
    ['call get /stats', { kind: 'mistake', problem: 'call needs a method and a path: call GET /stats' }],
    ['call GET', { kind: 'mistake', problem: 'call needs a method and a path: call GET /stats' }],
    ['call GET /a b', { kind: 'mistake', problem: 'call needs a method and a path: call GET /stats' }],
    ['-data x', { kind: 'mistake', problem: 'only call takes -data' }],
    ['recover', { kind: 'recover', configFile: 'docker-backend.yaml', dryRun: false, newRoot: false }],
    [
      'recover --new-root -dry-run -config a.yaml',
      { kind: 'recover', configFile: 'a.yaml', dryRun: true, newRoot: true },
    ],
    ['backup -to x -new-root', { kind: 'mistake', problem: 'flag is not for this command: -new-root' }],
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
