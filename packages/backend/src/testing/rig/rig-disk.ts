/** A btrfs for a rig: the engine on the host sees it, and so does the program in this process, at the same path. */
import { spawnSync } from 'node:child_process';
import { type FileSystem, type Host, makeFileSystem } from '@berth/lab';

const must = (...[command = '', ...args]: readonly string[]): void => {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
};

export async function makeRigDisk(host: Host, name: string): Promise<FileSystem> {
  const disk = await makeFileSystem(host, { name, type: 'btrfs', sizeMb: 512 });
  // The same loop device, since it is the same file.
  must('mount', '-o', 'loop', `${disk.path}.image`, disk.path);
  return {
    ...disk,
    async [Symbol.asyncDispose]() {
      must('umount', '--lazy', disk.path);
      await disk[Symbol.asyncDispose]();
    },
  };
}
