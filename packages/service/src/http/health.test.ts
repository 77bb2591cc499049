import { describe, expect, it } from 'vitest';
import { Registry } from '../metrics/index.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { daemonPages, Health } from './index.ts';

const table = {
  docker_connected: { title: 'Docker answers', severity: 'error' },
  tables_installed: { title: 'The tables are installed', severity: 'error', readiness: 'latched' },
  reconciled: {
    title: 'Kernel and Docker agree',
    severity: 'error',
    readiness: 'live',
    dependsOn: ['docker_connected'],
  },
} as const;

const readyz = <T extends typeof table | Record<never, never>>(health: Health<T>) =>
  daemonPages(new Registry(), health)['/readyz']?.();

describe('Health', () => {
  it('is ready when everything that readiness waits for was met, and says what is missing until then', () => {
    const health = new Health(table, new VirtualClock());
    expect(readyz(health)).toMatchObject({
      status: 503,
      body: 'tables_installed: false\nreconciled: false\n',
    });
    health.right('tables_installed');
    expect(readyz(health)).toMatchObject({
      status: 503,
      body: 'tables_installed: true\nreconciled: false\n',
    });
    health.right('reconciled');
    expect(readyz(health)).toEqual({
      status: 200,
      contentType: 'text/plain; charset=utf-8',
      body: 'ready\n',
    });
  });

  it('keeps a latched condition met, and goes back with a live one', () => {
    const health = new Health(table, new VirtualClock());
    health.right('tables_installed');
    health.right('reconciled');
    health.wrong('tables_installed', 'somebody deleted them');
    expect(health.ready).toBe(true);
    health.wrong('reconciled', 'EPERM');
    expect(health.ready).toBe(false);
  });

  it('answers ok where readiness waits for nothing', () => {
    expect(readyz(new Health({}, new VirtualClock()))).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it('tells since when something is as it is, and what a fault rests on', async () => {
    const clock = new VirtualClock(0);
    const health = new Health(table, clock);
    await clock.advance(10);
    health.wrong('docker_connected', 'ECONNREFUSED');
    health.wrong('reconciled', 'no snapshot');
    await clock.advance(10);
    health.wrong('docker_connected', 'ENOENT');
    expect(health.findings().map(({ condition: _, ...finding }) => finding)).toEqual([
      { code: 'docker_connected', ok: false, detail: 'ENOENT', since: 10, because: undefined },
      { code: 'tables_installed', ok: undefined, detail: undefined, since: 0, because: undefined },
      { code: 'reconciled', ok: false, detail: 'no snapshot', since: 10, because: 'docker_connected' },
    ]);
  });
});
