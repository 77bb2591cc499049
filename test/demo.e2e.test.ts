import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const demo = join(import.meta.dirname, '..', 'lab', 'src', 'demo', 'main.ts');
const lab = `demo${process.pid}`;

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [demo, ...args], {
    env: { ...process.env, BERTH_LAB: lab, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return { child, ended: once(child, 'close') as Promise<[number | null]>, output: () => output };
}

/** What carries the demo's name on the machine: its namespaces. */
const left = (): string[] => readdirSync('/run/netns').filter((name) => name.startsWith(`${lab}-`));

describe('the demo', () => {
  it('gives a project its own address, shows whom the services see, rents a container, cleans up and ends with 0', async () => {
    const { ended, output } = start('--once');
    const [code] = await ended;
    expect(output()).toMatch(/leased 10\.99\.0\.\d+ to the host name "harbour"/);
    expect(output()).toMatch(/client1 fd99::21 → \[fd99::[0-9a-f:]+\]:25\/tcp +mail says: you are fd99::21/);
    expect(output()).toMatch(
      /client1 10\.99\.0\.21 → 10\.99\.0\.\d+:25\/tcp +mail says: you are 10\.99\.0\.21/,
    );
    expect(output()).toMatch(/inet 203\.0\.113\.10 → .*mail says: you are 203\.0\.113\.10/);
    expect(output()).toMatch(/53\/udp +dns says: you are 10\.99\.0\.21/);
    const story = [
      /signed POST \/provision for the lease [0-9a-f-]{36}: accepted/,
      /signed callback: success/,
      /client1 10\.99\.0\.21 → 10\.99\.0\.11:\d+ {2}"Hello from the first release"/,
      /read-only true, capabilities dropped \[ALL\], \[no-new-privileges:true\], memory 67108864, processes 256/,
      /signed callback: success/,
      /"Hello from the second release"/,
      /signed callback: failed \(container exited during startup; rolled back to previous version\)/,
      /"Hello from the second release"/,
      /GET \/releases: 1 superseded, 2 active, 3 failed/,
      /signed callback: deprovisioned/,
      /no container of it is left/,
    ];
    expect(output()).toMatch(new RegExp(story.map(({ source }) => source).join('[^]*'), 'u'));
    expect({ code, left: left() }).toEqual({ code: 0, left: [] });
  }, 1_200_000);

  it('cleans up when it is told to stop half-way', async () => {
    const { child, ended, output } = start();
    const deadline = performance.now() + 120_000;
    while (!output().includes('[2/')) {
      if (performance.now() > deadline)
        throw new Error(`the demo did not get to its second chapter: ${output()}`);
      await once(child.stdout, 'data');
    }
    child.kill('SIGINT');
    const [code] = await ended;
    expect(output()).toContain('cleaned up');
    expect({ code, left: left() }).toEqual({ code: 130, left: [] });
  });

  it('says what it takes for a wrong option', async () => {
    const { ended, output } = start('--engine', '19.03');
    const [code] = await ended;
    expect(output()).toContain('there is no engine 19.03');
    expect(code).toBe(2);
  });
});
