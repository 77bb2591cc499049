/**
 * Boots a whole Debian kernel by software emulation and runs one command in it as root: for what the machine's own kernel
 * lacks. Nothing of a run stays: the disk's writes go to a file that ends with it.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labErrors } from '../errors.ts';
import { prepareMachine } from '../machine.ts';
import type { Argv } from '../tools/run.ts';
import { cpioArchive } from './cpio.ts';
import { vmFiles } from './disk.ts';

const packages = {
  'qemu-system-x86': '/usr/bin/qemu-system-x86_64',
  kmod: '/usr/sbin/modprobe',
  'xz-utils': '/usr/bin/xz',
  zstd: '/usr/bin/zstd',
  debootstrap: '/usr/sbin/debootstrap',
  e2fsprogs: '/usr/sbin/mke2fs',
} as const;

export interface VmRun {
  /** The machine's folder that the command sees, to read, at the same path; also where it starts. */
  readonly share: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly onOutput: (chunk: Buffer) => void;
  readonly timeoutMs: number;
  readonly say: (line: string) => void;
}

/** Why there is no virtual machine here; undefined where there is one. */
export async function whyNoVm(say: (line: string) => void): Promise<string | undefined> {
  if (process.arch !== 'x64') return `virtual machines are made for x64 only, and this is ${process.arch}`;
  try {
    await prepareMachine(say, packages);
    return undefined;
  } catch (error) {
    return `Debian's QEMU can not be installed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Makes ready what a run needs, so that the run itself is short. */
export async function buildVm(say: (line: string) => void): Promise<void> {
  await prepareMachine(say, packages);
  await vmFiles(say);
}

export interface VmResult {
  /** The exit code of the command. */
  readonly code: number;
  /** What the command wrote into /run/vm/result. */
  readonly result: string;
}

export async function runInVm(argv: Argv, run: VmRun): Promise<VmResult> {
  await prepareMachine(run.say, packages);
  const { kernel, firstRoot, disk } = await vmFiles(run.say);
  const work = await mkdtemp(join(tmpdir(), 'berth-vm-'));
  try {
    const script = (name: string): Promise<Buffer> => readFile(join(import.meta.dirname, 'guest', name));
    const order = cpioArchive([
      { name: 'init', content: await script('init.sh'), executable: true },
      { name: 'vm/main.sh', content: await script('main.sh') },
      { name: 'vm/share', content: run.share },
      { name: 'vm/argv', content: separated(argv) },
      {
        name: 'vm/environment',
        content: separated(Object.entries(run.env ?? {}).map(([name, value]) => `${name}=${value}`)),
      },
    ]);
    const initrd = join(work, 'initrd');
    await writeFile(initrd, Buffer.concat([await readFile(firstRoot), order]));
    await boot({ kernel, initrd, disk, work }, run);
    const read = (name: string): Promise<string> => readFile(join(work, name), 'utf8').catch(() => '');
    const code = (await read('code')).trim();
    if (code !== '') return { code: Number(code), result: await read('result') };
    const console = await read('console');
    throw labErrors.error(
      'TOOL_FAILED',
      `the virtual machine ended without an exit code:\n${console.slice(-3_000)}`,
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const separated = (words: readonly string[]): string => words.map((word) => `${word}\0`).join('');

interface Parts {
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string;
  readonly work: string;
}

function boot({ kernel, initrd, disk, work }: Parts, { share, onOutput, timeoutMs }: VmRun): Promise<void> {
  const append =
    'console=ttyS0 loglevel=4 panic=-1 net.ifnames=0 mitigations=off tsc=reliable random.trust_cpu=on';
  const nic = (id: string): readonly string[] => [
    ...['-netdev', `hubport,id=${id},hubid=1`, '-device', `virtio-net-pci,netdev=${id},romfile=`],
  ];
  const args = [
    ...[
      '--pdeathsig',
      'KILL',
      'qemu-system-x86_64',
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-no-reboot',
    ],
    ...[
      '-machine',
      'q35',
      // One thread for both processors: with a thread for each, one of them may run code that the other has just patched, and
      // the kernel patches itself (at each first and last quota of processor time, for one). It ends in a panic, soon.
      '-accel',
      'tcg,thread=single,tb-size=512',
      '-cpu',
      'Westmere',
      '-smp',
      '2',
      '-m',
      '1536',
    ],
    ...['-serial', `file:${join(work, 'console')}`, '-kernel', kernel, '-initrd', initrd, '-append', append],
    ...[
      '-drive',
      `file=${disk},format=raw,if=none,id=root,snapshot=on,cache=unsafe`,
      '-device',
      'virtio-blk-pci,drive=root',
    ],
    // Two cards on one wire of their own: a LAN inside the machine.
    ...nic('n0'),
    ...nic('n1'),
    ...['-virtfs', `local,path=${share},mount_tag=share,security_model=none,multidevs=remap,readonly=on`],
    ...['-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci'],
    ...['-chardev', 'stdio,id=output,signal=off', '-device', 'virtserialport,chardev=output,name=output'],
    ...['code', 'result'].flatMap((name) => [
      ...['-chardev', `file,id=${name},path=${join(work, name)}`],
      ...['-device', `virtserialport,chardev=${name},name=${name}`],
    ]),
  ];
  return new Promise((resolve, reject) => {
    // Its input must not end: QEMU would close the port of the output with it.
    const child = spawn('setpriv', args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: work },
    });
    let complaints = '';
    child.stdout.on('data', onOutput);
    child.stderr.on('data', (chunk: Buffer) => {
      complaints = `${complaints}${chunk.toString()}`.slice(-2_000);
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      if (late)
        reject(labErrors.error('TOOL_TIMEOUT', `the virtual machine did not end within ${timeoutMs} ms`));
      else if (code === 0) resolve();
      else reject(labErrors.error('TOOL_FAILED', `QEMU ended with ${code}: ${complaints}`));
    });
  });
}
