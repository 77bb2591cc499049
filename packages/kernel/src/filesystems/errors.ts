/** What can go wrong with quota file systems. */
import { ErrorTable } from '@berth/service';

export type FilesystemErrorCode =
  | 'TOOL_MISSING'
  | 'TOOL_STUCK'
  | 'TOOL_FAILED'
  | 'ROOT_UNREADABLE'
  | 'ROOT_UNSUPPORTED'
  | 'ROOT_MISMATCH'
  | 'ROOT_UNMOUNTED'
  | 'QUOTAS_OFF'
  | 'CAPABILITY_MISSING'
  | 'BAD_VOLUME_NAME'
  | 'BAD_SIZE'
  | 'VOLUME_MISSING'
  | 'VOLUME_EXISTS'
  | 'NOT_A_VOLUME'
  | 'MARKER_UNUSABLE'
  | 'IDS_EXHAUSTED'
  | 'STILL_THERE'
  | 'USAGE_UNKNOWN';

export const filesystemErrors = new ErrorTable<FilesystemErrorCode>({
  TOOL_MISSING: {
    title: 'A tool of the file system cannot be started',
    remedy: 'Install the package that has it: btrfs-progs, xfsprogs or zfsutils-linux.',
  },
  TOOL_STUCK: {
    title: 'A tool of the file system did not come to its end',
    remedy:
      'Look at the disk and the kernel log: a tool that hangs mostly waits for a disk that does not answer.',
  },
  TOOL_FAILED: {
    title: 'A tool of the file system refused the request',
    remedy: 'Its own words stand in the message.',
  },
  ROOT_UNREADABLE: {
    title: 'The volume root cannot be read',
    remedy: 'Check that the path exists, is mounted and can be read.',
  },
  ROOT_UNSUPPORTED: {
    title: 'The volume root lies on a file system without usable quotas',
    remedy: 'Put the volume root on btrfs, xfs or zfs.',
  },
  ROOT_MISMATCH: {
    title: 'The volume root lies on another file system than configured',
    remedy: 'Is the volume mounted? An unmounted mount point shows the file system below it.',
  },
  ROOT_UNMOUNTED: {
    title: 'The volume root is empty and on another device than before',
    remedy: 'The volume was possibly unmounted: mount it again.',
  },
  QUOTAS_OFF: {
    title: 'The file system does not keep quotas',
    remedy: 'btrfs: run `btrfs quota enable` on the root. xfs: mount it with the pquota option.',
  },
  CAPABILITY_MISSING: {
    title: 'The quota tools would run without the right to set quotas',
    remedy:
      'Run as root with CAP_SYS_ADMIN in the bounding set, or give a non-root service AmbientCapabilities=CAP_SYS_ADMIN. A file capability on the program (setcap) does not reach the tools.',
  },
  BAD_VOLUME_NAME: {
    title: 'A volume name is not one plain path component',
    remedy: 'Use letters, digits, dots, hyphens and underscores; begin with a letter or digit.',
  },
  BAD_SIZE: {
    title: 'A volume size is not a positive whole number of MiB',
    remedy: 'Give the size in MiB, at least 1.',
  },
  VOLUME_MISSING: {
    title: 'The volume is not there',
    remedy: 'Look at the volume root: was it destroyed, or is the root unmounted?',
  },
  VOLUME_EXISTS: {
    title: 'Both the old and the new name of a volume exist',
    remedy: 'They are never merged. Look at both, keep the right one and move the other away by hand.',
  },
  NOT_A_VOLUME: {
    title: 'What has the name of a volume is not one',
    remedy: 'A plain directory or file took the place of a volume: move it away by hand.',
  },
  MARKER_UNUSABLE: {
    title: 'The project id of an xfs volume is missing, unreadable or given twice',
    remedy:
      'Compare the .fred-project-id files of the volumes with `xfs_quota -x -c "report -p"` and write the right one back.',
  },
  IDS_EXHAUSTED: {
    title: 'There is no free xfs project id left',
    remedy: 'Destroy volumes that nobody needs.',
  },
  STILL_THERE: {
    title: 'A volume is still there although its removal was reported',
    remedy: 'Look for processes and mounts that hold it, then repeat.',
  },
  USAGE_UNKNOWN: {
    title: 'The file system does not say how much a volume uses',
    remedy:
      'Check that quotas are enabled and that their counters are consistent (btrfs: `btrfs quota rescan`).',
  },
});
