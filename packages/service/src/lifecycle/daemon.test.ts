import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = (folder: string) => JSON.stringify(join(import.meta.dirname, '..', folder));

/** Runs a main function as a real process; `ready` is the line that it logs once it can be signalled. */
function run(main: string, options = '') {
  const program = `
    import { runDaemon } from ${source('lifecycle/index.ts')};
    import { createLog, stdoutSink } from ${source('log/index.ts')};
    import { systemClock } from ${source('clock.ts')};
    const log = createLog({ sink: stdoutSink() });
    const untilAborted = (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve));
    const forever = () => new Promise(() => undefined);
    await runDaemon({ name: 'test', log, ${options} }, async ({ scope, stop }) => { ${main} });
  `;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Run(child);
}

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [attr: string]: unknown;
}

class Run {
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  readonly ended: Promise<{
    code: number | null;
    lines: readonly Line[];
    messages: readonly string[];
    stderr: string;
  }>;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.ended = new Promise((resolve) =>
      child.on('close', (code) => {
        const lines = this.#lines();
        resolve({ code, lines, messages: lines.map(({ msg }) => msg), stderr: this.#stderr });
      }),
    );
  }

  #lines(): readonly Line[] {
    return this.#stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  /** Waits for a line of the log. */
  async logged(msg: string): Promise<void> {
    const found = new Promise<void>((resolve) => {
      const look = () => {
        if (this.#lines().some((line) => line.msg === msg)) resolve();
      };
      look();
      this.#child.stdout?.on('data', look);
    });
    const gone = this.ended.then(({ code, stderr }) => {
      throw new Error(`ended with ${code} before it logged "${msg}": ${stderr}${this.#stdout}`);
    });
    await Promise.race([found, gone]);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

// Each starts a process, and the machine may be busy.
describe('a daemon', () => {
  it('ends in order when a signal comes: main first, then what was opened, last opened first', async () => {
    const daemon = run(`
      scope.defer(() => log.info('docker closed'));
      scope.defer(() => log.info('tables deleted'));
      const child = scope.child('dhcp');
      child.defer(() => log.info('lease released'));
      log.info('ready');
      await untilAborted(scope.signal);
      log.info('main ended');
      return 7;
    `);
    await daemon.logged('ready');
    daemon.signal('SIGTERM');
    const { code, lines, messages } = await daemon.ended;
    expect(messages).toEqual([
      'ready',
      'signal received, shutting down',
      'main ended',
      'lease released',
      'tables deleted',
      'docker closed',
    ]);
    expect(lines[1]).toMatchObject({ level: 'INFO', signal: 15 });
    expect(code).toBe(7);
  });

  it('ends with 0 after a signal that found main waiting for something that the signal called off', async () => {
    const daemon = run(`
      log.info('ready');
      await new Promise((_, reject) => scope.signal.addEventListener('abort', () => reject(new Error('not found', { cause: scope.signal.reason }))));
    `);
    await daemon.logged('ready');
    daemon.signal('SIGINT');
    const { code, lines, messages } = await daemon.ended;
    expect(code).toBe(0);
    expect(messages).toEqual(['ready', 'signal received, shutting down']);
    expect(lines[1]).toMatchObject({ signal: 2 });
  });

  it('ends by itself with the exit code of main, without leftovers holding it', async () => {
    const { code, messages } = await run(`
      setInterval(() => undefined, 1000);
      scope.defer(() => log.info('released'));
      return 3;
    `).ended;
    expect(code).toBe(3);
    expect(messages).toEqual(['released']);
  });

  it('stays alive although nothing but clock timers is left', async () => {
    const { code, messages } = await run(`
      await new Promise((resolve) => setTimeout(resolve, 50).unref());
      log.info('still here');
    `).ended;
    expect(code).toBe(0);
    expect(messages).toEqual(['still here']);
  });

  it('says why it cannot go on, and ends with 1, in order', async () => {
    const { code, lines } = await run(`
      const { serviceErrors } = await import(${source('index.ts')});
      scope.defer(() => log.info('released'));
      throw serviceErrors.error('CONFIG_INVALID', 'config: X must be set');
    `).ended;
    expect(code).toBe(1);
    expect(lines).toMatchObject([
      { level: 'ERROR', msg: 'fatal', err: 'config: X must be set', code: 'CONFIG_INVALID' },
      { msg: 'released' },
    ]);
  });

  it('can be ended by a background task, with its exit code, main being told', async () => {
    const { code, messages } = await run(`
      scope.spawn('discovery', async () => {
        await new Promise((resolve) => setImmediate(resolve));
        log.error('discovery exited');
        stop(1);
      });
      await untilAborted(scope.signal);
      log.info('main ended');
    `).ended;
    expect(code).toBe(1);
    expect(messages).toEqual(['discovery exited', 'main ended']);
  });

  it('goes on when a background task fails, and says so', async () => {
    const { code, lines } = await run(`
      scope.spawn('detector', async () => { throw new Error('list failed'); });
      await new Promise((resolve) => setImmediate(resolve));
      log.info('going on');
    `).ended;
    expect(code).toBe(0);
    expect(lines).toMatchObject([
      { msg: 'background task failed', task: 'test: detector', err: 'list failed' },
      { msg: 'going on' },
    ]);
  });

  it.each([
    ['an uncaught exception', `setTimeout(() => { throw new Error('boom'); }, 1);`],
    ['a promise that nobody looks after', `void Promise.reject(new Error('boom'));`],
    [
      'a listener of failures that fails itself',
      `scope.child('x', () => { throw new Error('boom'); }).spawn('y', async () => { throw new Error('first'); });`,
    ],
  ])('dies of %s: says so with the stack, cleans up, ends with 1', async (_, how) => {
    const { code, lines } = await run(`
      scope.defer(() => log.info('released'));
      ${how}
      await untilAborted(scope.signal);
    `).ended;
    expect(code).toBe(1);
    expect(lines).toMatchObject([
      { level: 'ERROR', msg: 'fatal', err: 'boom', stack: expect.stringContaining('boom') },
      { msg: 'released' },
    ]);
  });

  it('does not try twice when the clean-up after a crash crashes, too', async () => {
    const { code, messages } = await run(`
      scope.defer(async () => { setTimeout(() => { throw new Error('again'); }, 1); await forever(); });
      setTimeout(() => { throw new Error('boom'); }, 1);
      await untilAborted(scope.signal);
    `).ended;
    expect(code).toBe(1);
    expect(messages).toEqual(['fatal', 'fatal']);
  });

  it('takes a burst of signals for one', async () => {
    const daemon = run(
      `
      let burst = 0;
      for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => { burst += 1; });
      scope.defer(async () => { while (burst < 3) await new Promise((resolve) => setTimeout(resolve, 1)); });
      log.info('ready');
      await untilAborted(scope.signal);
      `,
      'clock: { ...systemClock, monotonic: () => 0 }',
    );
    await daemon.logged('ready');
    daemon.signal('SIGTERM');
    daemon.signal('SIGINT');
    await daemon.logged('signal received, shutting down');
    daemon.signal('SIGTERM');
    const { code, messages } = await daemon.ended;
    expect(code).toBe(0);
    expect(messages).toEqual(['ready', 'signal received, shutting down']);
  });

  it('lets itself be forced by a signal that comes later, and says what it did not wait for', async () => {
    const daemon = run(
      `
      scope.child('dhcp').defer(() => { log.info('releasing'); return forever(); }, 'v4 release');
      log.info('ready');
      await untilAborted(scope.signal);
      `,
      // Two seconds pass whenever somebody looks at this clock.
      'clock: { ...systemClock, monotonic: (() => { let ms = 0; return () => (ms += 2000); })() }',
    );
    await daemon.logged('ready');
    daemon.signal('SIGINT');
    await daemon.logged('releasing');
    daemon.signal('SIGINT');
    const { code, lines } = await daemon.ended;
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      msg: 'second signal, ending without clean-up',
      waiting: ['test: scope dhcp', 'test/dhcp: v4 release'],
    });
  });

  it('does not hang at the end because nobody reads what it says', async () => {
    const program = `
      import { runDaemon } from ${source('lifecycle/index.ts')};
      import { createLog, stdoutSink } from ${source('log/index.ts')};
      const log = createLog({ sink: stdoutSink() });
      await runDaemon({ name: 'test', log }, async ({ scope }) => {
        for (let n = 0; n < 20_000; n++) log.info('line', { n, filling: 'x'.repeat(200) });
        process.send('full');
        await new Promise((resolve) => scope.signal.addEventListener('abort', resolve));
        return 0;
      });
    `;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('does not wait longer than the deadline, and says for what it waited', async () => {
    const daemon = run(
      `scope.spawn('stuck', forever); log.info('ready'); await untilAborted(scope.signal);`,
      'stopWithinMs: 50',
    );
    await daemon.logged('ready');
    daemon.signal('SIGTERM');
    const { code, lines } = await daemon.ended;
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      level: 'ERROR',
      msg: 'shutdown deadline passed',
      waiting: ['test: stuck'],
    });
  });
});
