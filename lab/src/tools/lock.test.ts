import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withLock } from './lock.ts';

describe('the lock', () => {
  it('lets one in at a time, and the next one in as soon as that one is out', async () => {
    const name = randomUUID();
    const order: string[] = [];
    const turn = (who: string) => (): Promise<void> => {
      order.push(`${who} in`);
      return new Promise((resolve) =>
        setImmediate(() => {
          order.push(`${who} out`);
          resolve();
        }),
      );
    };
    await Promise.all(['a', 'b', 'c'].map((who) => withLock(name, turn(who))));
    expect(order).toHaveLength(6);
    for (let index = 0; index < 6; index += 2) {
      expect(order[index + 1]).toBe(order[index]?.replace('in', 'out'));
    }
  });

  it('is free again when its holder is killed', async () => {
    const name = randomUUID();
    const lock = join(import.meta.dirname, 'lock.ts');
    const program = `
      const { withLock } = await import(${JSON.stringify(lock)});
      await withLock(${JSON.stringify(name)}, () => {
        console.log('held');
        return new Promise(() => setInterval(() => undefined, 1000));
      });`;
    const holder = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    let waited = false;
    const taken = withLock(
      name,
      async () => 'taken',
      () => {
        waited = true;
        holder.kill('SIGKILL');
      },
    );
    expect(await taken).toBe('taken');
    expect(waited).toBe(true);
  });

  it('hands on what the work ends with, error or value', async () => {
    const name = randomUUID();
    await expect(withLock(name, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    expect(await withLock(name, async () => 42)).toBe(42);
  });
});
