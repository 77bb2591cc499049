import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const log = join(import.meta.dirname, 'index.ts');

function runWithStdout(stdout: 'pipe' | number, program: string): ChildProcess {
  const source = `import { createLog, stdoutSink } from ${JSON.stringify(log)};\n${program}`;
  return spawn(process.execPath, ['--input-type=module-typescript', '--eval', source], {
    stdio: ['ignore', stdout, 'pipe', 'ipc'],
  });
}

/** Runs a small program with its stdout in a pipe that is read only by whoever asks. */
function runWithPipe(program: string) {
  const child = runWithStdout('pipe', program);
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const said = (expected: string) =>
    new Promise<void>((resolve, reject) => {
      child.on('message', (message) => {
        if (message === expected) resolve();
      });
      child.on('exit', (code) =>
        reject(new Error(`ended with ${code} before it said "${expected}": ${errors}`)),
      );
    });
  return { child, said, errors: () => errors };
}

const readAll = async (stream: AsyncIterable<Buffer>): Promise<string> =>
  Buffer.concat(await Array.fromAsync(stream)).toString();

// Each starts a process, and the machine may be busy.
describe('DescriptorSink', () => {
  it('does not let a reader that has stopped stop the program, and gets the rest out when it reads again', async () => {
    const program = runWithPipe(`
      const sink = stdoutSink();
      const log = createLog({ sink });
      for (let n = 0; n < 20_000; n++) log.info('line', { n, filling: 'x'.repeat(100) });
      setTimeout(() => process.send('still alive'), 20);
      process.on('message', () => {
        sink.flush();
        log.info('after');
        process.disconnect();
      });
    `);
    await program.said('still alive');
    const everything = readAll(program.child.stdout!);
    program.child.send('go on');
    const lines = (await everything)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const numbered = lines.filter(({ msg }) => msg === 'line').map(({ n }) => n);
    expect(numbered).toEqual(numbered.map((_, index) => index));
    expect(numbered.length).toBeLessThan(20_000);
    const lost = lines.filter(({ msg }) => msg === 'log lines dropped');
    expect(lost.reduce((sum, { count }) => sum + count, numbered.length)).toBe(20_000);
    expect(lines.at(-1)).toMatchObject({ msg: 'log lines dropped' });
  });

  it('gets everything out at the end of the process', async () => {
    const program = runWithPipe(`
      const log = createLog({ sink: stdoutSink() });
      for (let n = 0; n < 2000; n++) log.info('line', { n, filling: 'x'.repeat(100) });
      process.exit(0);
    `);
    const lines = (await readAll(program.child.stdout!)).trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ n: 1999 });
    expect(lines).toHaveLength(2000);
  });

  it('gets a line out whole that is longer than the pipe', async () => {
    const program = runWithPipe(`
      const sink = stdoutSink();
      sink.write('x'.repeat(3_000_000) + 'end');
      process.disconnect();
    `);
    const everything = await readAll(program.child.stdout!);
    expect(everything).toBe(`${'x'.repeat(3_000_000)}end`);
  });

  it('goes on when the reader is gone', async () => {
    const program = runWithPipe(`
      const log = createLog({ sink: stdoutSink() });
      log.info('first');
      process.on('message', () => {
        for (let n = 0; n < 100; n++) log.info('into the void');
        process.send('survived');
        process.disconnect();
      });
    `);
    await new Promise((resolve) => program.child.stdout!.once('data', resolve));
    program.child.stdout!.destroy();
    program.child.send('go on');
    await program.said('survived');
  });

  it('counts what it could not write', async () => {
    const program = runWithPipe(`
      import { closeSync } from 'node:fs';
      const sink = stdoutSink();
      closeSync(1);
      sink.write('lost');
      process.send(String(sink.takeDropped()) + ' lost, then ' + String(sink.takeDropped()));
      process.disconnect();
    `);
    await program.said('1 lost, then 0');
  });

  it('writes to a file what others write there, too, in order', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-sink-'));
    const file = await open(join(folder, 'log'), 'w');
    const program = runWithStdout(
      file.fd,
      `
      import { writeSync } from 'node:fs';
      const sink = stdoutSink();
      writeSync(1, 'theirs\\n');
      sink.write('ours\\n');
      writeSync(1, 'theirs again\\n');
    `,
    );
    await once(program, 'exit');
    await file.close();
    expect(await readFile(join(folder, 'log'), 'utf8')).toBe('theirs\nours\ntheirs again\n');
    await rm(folder, { recursive: true });
  });
});
