/** What every container gets. */
import { boolean, integer, optional, text } from '@berth/service/config';
import { integerOr, ipProblem, largestMb } from '../limits.ts';

/** The kernel counts no more processes than this, and refuses a larger limit. */
const mostProcesses = 4_194_304;
/** The kernel gives no process more open files than this, whatever it is set to. */
const mostOpenFiles = 2_147_483_584;

export const containersFields = {
  hostBindIp: optional('host_bind_ip', text(), {
    default: '',
    about: 'Address that ports are published on; empty means all (`0.0.0.0`).',
    check: ipProblem,
  }),
  containerPidsLimit: optional('container_pids_limit', integer({ min: 1, max: mostProcesses }), {
    default: 256,
    about: 'Processes and threads of one container.',
  }),
  containerTmpfsSizeMb: optional('container_tmpfs_size_mb', integerOr(64, { min: 0, max: largestMb }), {
    default: 64,
    about: 'Size of each tmpfs in MiB; 0 means 64.',
  }),
  containerReadonlyRootfs: optional('container_readonly_rootfs', boolean(), {
    default: true,
    about: 'Containers cannot write to their image.',
  }),
  networkIsolation: optional('network_isolation', boolean(), {
    default: true,
    about: 'Each tenant has a network of its own.',
  }),
  containerLogMaxSizeMb: optional('container_log_max_size_mb', integer({ min: 1, max: largestMb }), {
    default: 10,
    about: 'Size at which the log file of a container is rotated.',
  }),
  containerLogMaxFiles: optional('container_log_max_files', integer({ min: 1 }), {
    default: 3,
    about: 'How many log files of a container are kept.',
  }),
  containerNofileLimit: optional('container_nofile_limit', integer({ min: 0, max: mostOpenFiles }), {
    default: 0,
    about: 'Open files of one process in a container; 0 leaves it to the engine.',
  }),
};
