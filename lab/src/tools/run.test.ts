import { describe, expect, it } from 'vitest';
import { must, run } from './run.ts';

const node = (program: string): readonly [string, ...string[]] => [process.execPath, '--eval', program];

describe('running a tool', () => {
  it('hands back what it wrote and how it ended', async () => {
    const done = await run(node("console.log('out'); console.error('err'); process.exitCode = 3"));
    expect(done).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('says which signal ended it, as a shell would', async () => {
    expect((await run(node("process.kill(process.pid, 'SIGKILL')"))).code).toBe(137);
  });

  it('gives it input, and does not mind when it is not read', async () => {
    expect(await must(['cat'], { input: 'hello' })).toBe('hello');
    expect((await run(['true'], { input: 'x'.repeat(1_000_000) })).code).toBe(0);
  });

  it('ends a tool that takes too long', async () => {
    await expect(run(['sleep', '60'], { timeoutMs: 50 })).rejects.toMatchObject({ code: 'TOOL_TIMEOUT' });
  });

  it('ends a tool that is called off', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const running = run(['sleep', '60'], { signal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });

  it('says what a tool said when it had to succeed', async () => {
    await expect(must(node("console.error('no such thing'); process.exitCode = 1"))).rejects.toThrow(
      /ended with 1: no such thing/,
    );
  });

  it('says that there is no such tool', async () => {
    await expect(run(['/nowhere/tool'])).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  });
});
