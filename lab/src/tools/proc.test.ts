import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  commandLine,
  isAlive,
  isInit,
  kill,
  namespaceId,
  namespaceIdOfProcess,
  processesIn,
  recordOf,
} from './proc.ts';

describe('what /proc says', () => {
  it('knows a process again, until it ends', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const record = recordOf(child.pid ?? 0);
    if (record === undefined) throw new Error('no record of a process that runs');
    expect(isAlive(record)).toBe(true);
    expect(isAlive({ ...record, startTime: '1' })).toBe(false);
    expect(isAlive({ ...record, bootId: 'another boot' })).toBe(false);
    expect(commandLine(record.pid)).toBe('sleep 60');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(record)).toBe(false);
    expect(commandLine(record.pid)).toBe('');
  });

  it('never signals our own group, which is what a pid of 0 would mean', () => {
    expect(kill(0)).toBe(false);
    expect(kill(-1)).toBe(false);
  });

  it('finds who lives in a namespace', () => {
    const id = namespaceIdOfProcess(process.pid);
    expect(namespaceId('/proc/self/ns/net')).toBe(id);
    expect(processesIn(id ?? '')).toContain(process.pid);
    expect(processesIn('net:[0]')).toEqual([]);
  });

  it('takes no plain file for a namespace', () => {
    expect(namespaceId('/proc/self/status')).toBeUndefined();
    expect(namespaceId('/nowhere')).toBeUndefined();
  });

  it('does not take us for the first process of anything below us', () => {
    expect(isInit(process.pid)).toBe(false);
  });
});
