import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { kernelErrors } from '../errors.ts';
import { freshNamespace, inside, until } from '../testing/namespaces.ts';
import { identifyProcess, Netns } from './index.ts';

const where = (): string => readlinkSync('/proc/thread-self/ns/net');
const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

/** A process that lives in a namespace until the test is over. */
function sleeper(namespace: Netns) {
  const child = namespace.run(() => spawn('sleep', ['1000'], { stdio: 'ignore' }));
  cleanUps.push(() => child.kill('SIGKILL'));
  const pid = child.pid;
  if (pid === undefined) throw new Error('sleep did not start');
  return { pid, child };
}

describe('Netns', () => {
  it('makes an empty namespace and leaves this thread where it was', () => {
    const home = where();
    using namespace = Netns.create();
    expect(where()).toBe(home);
    expect(namespace.run(where)).not.toBe(home);
    expect(where()).toBe(home);
    expect(namespace.run(() => readFileSync('/proc/thread-self/net/dev', 'utf8'))).toMatch(/^\s*lo:/m);
    expect(namespace.run(() => readFileSync('/proc/thread-self/net/dev', 'utf8').split('\n'))).toHaveLength(
      4,
    );
  });

  it('comes home when the piece throws', () => {
    const home = where();
    using namespace = Netns.create();
    expect(() =>
      namespace.run(() => {
        throw new Error('boom');
      }),
    ).toThrow('boom');
    expect(where()).toBe(home);
  });

  it('goes from one namespace into another and back', () => {
    using first = Netns.create();
    using second = Netns.create();
    const seen = first.run(() => [second.run(where), Netns.own.run(where), where()]);
    expect(seen).toEqual([second.run(where), where(), first.run(where)]);
    expect(new Set(seen).size).toBe(3);
  });

  it('tells namespaces apart by id', () => {
    using namespace = Netns.create();
    const { pid } = sleeper(namespace);
    using again = Netns.ofProcess(pid);
    expect(again.id).toBe(namespace.id);
    expect(again.id).not.toBe(Netns.own.id);
  });

  it('keeps asynchronous file work of the process at home', async () => {
    const home = (await stat('/proc/self/ns/net')).ino;
    using namespace = Netns.create();
    const pending = namespace.run(() => ({ started: stat('/proc/thread-self/ns/net') }));
    expect((await pending.started).ino).toBe(home);
    const threads = readdirSync('/proc/self/task').map((task) =>
      readlinkSync(`/proc/self/task/${task}/ns/net`),
    );
    expect(new Set(threads)).toEqual(new Set([where()]));
  });

  it('ends with its last handle, and cannot be entered after that', () => {
    const namespace = Netns.create('short-lived');
    namespace[Symbol.dispose]();
    namespace[Symbol.dispose]();
    expect(() => namespace.run(() => 1)).toThrow(/short-lived was entered after its end/);
  });

  it('stays open while somebody is inside', () => {
    const home = where();
    using other = Netns.create();
    const namespace = Netns.create();
    namespace.run(() => {
      namespace[Symbol.dispose]();
      other.run(() => undefined);
      expect(where()).not.toBe(home);
    });
    expect(where()).toBe(home);
  });

  it('opens one by path, and says when the path is none', () => {
    using namespace = freshNamespace('by path');
    const { pid } = sleeper(namespace);
    using opened = Netns.atPath(`/proc/${pid}/ns/net`);
    expect(opened.run(where)).toBe(namespace.run(where));
    const before = openDescriptors();
    expect(() => Netns.atPath('/proc/self/ns/mnt')).toThrow(
      expect.objectContaining({ code: 'NAMESPACE_INVALID' }),
    );
    expect(() => Netns.atPath('/etc/passwd')).toThrow(expect.objectContaining({ code: 'NAMESPACE_INVALID' }));
    expect(() => Netns.atPath('/nowhere')).toThrow(expect.objectContaining({ code: 'KERNEL_NOT_FOUND' }));
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });

  it('leaves no descriptor behind after a thousand of them', () => {
    Netns.own.run(() => undefined);
    Netns.create()[Symbol.dispose]();
    const before = openDescriptors();
    for (let round = 0; round < 1000; round += 1) {
      using namespace = Netns.create();
      namespace.run(() => undefined);
    }
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });
});

describe('Netns.ofProcess', () => {
  it('opens the namespace of a process', () => {
    using namespace = Netns.create();
    const { pid } = sleeper(namespace);
    using opened = Netns.ofProcess(identifyProcess(pid));
    expect(opened.run(where)).toBe(namespace.run(where));
  });

  it('refuses a process that has ended', async () => {
    using namespace = Netns.create();
    const { pid, child } = sleeper(namespace);
    const identity = identifyProcess(pid);
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    const before = openDescriptors();
    expect(() => Netns.ofProcess(identity)).toThrow(expect.objectContaining({ code: 'PROCESS_GONE' }));
    expect(() => Netns.ofProcess(pid)).toThrow(expect.objectContaining({ code: 'PROCESS_GONE' }));
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });

  it('refuses a number that belongs to another process now', () => {
    using namespace = Netns.create();
    const { pid } = sleeper(namespace);
    const before = openDescriptors();
    expect(() => Netns.ofProcess({ pid, startTicks: '1' })).toThrow(/belongs to another process now/);
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });

  it('opens or refuses processes that end at any moment, and leaves nothing behind', async () => {
    const before = openDescriptors();
    const outcomes = new Set<string>();
    for (let round = 0; round < 100; round += 1) {
      const child = spawn('true', { stdio: 'ignore' });
      const ended = new Promise((resolve) => child.on('exit', resolve));
      // Each at another moment of a short life.
      if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, round % 5));
      try {
        Netns.ofProcess(child.pid ?? 0)[Symbol.dispose]();
        outcomes.add('opened');
      } catch (error) {
        outcomes.add(kernelErrors.is(error) ? error.code : String(error));
      }
      await ended;
    }
    expect([...outcomes].filter((outcome) => outcome !== 'opened' && outcome !== 'PROCESS_GONE')).toEqual([]);
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });

  it('refuses a process that ended but was not waited for', async () => {
    const child = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    cleanUps.push(() => child.kill('SIGKILL'));
    const pid = await new Promise<number>((resolve) =>
      child.stdout.once('data', (text) => resolve(Number(text))),
    );
    await until('the child is a zombie', () => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z '));
    expect(() => Netns.ofProcess(pid)).toThrow(expect.objectContaining({ code: 'PROCESS_GONE' }));
  });
});

describe('a program started inside', () => {
  it('lives in that namespace', () => {
    using namespace = Netns.create();
    expect(inside(namespace, 'readlink', '/proc/self/ns/net').trim()).toBe(namespace.run(where));
  });
});
