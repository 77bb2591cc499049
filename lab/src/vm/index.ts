/** A whole Debian kernel in a virtual machine, for what the machine's own kernel lacks. */
export { buildVm, runInVm, type VmResult, type VmRun, whyNoVm } from './run-in-vm.ts';
