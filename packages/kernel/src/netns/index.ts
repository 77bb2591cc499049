/** Network namespaces: open one by path or process, run a synchronous piece inside, keep the sockets. */
export { Netns } from './netns.ts';
export { identifyProcess, type ProcessIdentity } from './process.ts';
export { readSysctl, writeSysctl } from './sysctl.ts';
