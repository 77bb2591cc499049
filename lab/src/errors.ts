import { ErrorTable } from '@berth/service';

/** All that can go wrong in the lab. */
export const labErrors = new ErrorTable({
  BAD_NAME: {
    title: 'a lab or host name that cannot be used',
    remedy: 'Use a short name of lower-case letters, digits and dashes that begins with a letter.',
  },
  BAD_SPEC: {
    title: 'a lab that cannot be built as described',
    remedy: 'Change what it names; `npm run lab -- --help` says what there is.',
  },
  TOOL_FAILED: {
    title: 'a system tool ended with an error',
    remedy: 'The tool’s own words stand above; mend what they name and try again.',
  },
  TOOL_TIMEOUT: {
    title: 'a system tool took too long and was ended',
    remedy: 'Look at what the machine is busy with, then try again.',
  },
  NOT_READY: {
    title: 'something did not come to be within its time',
    remedy:
      'Look at the log it names (npm run lab -- logs HOST), then run `npm run lab -- down` and `up` again.',
  },
  NOT_UP: { title: 'the lab is not up', remedy: 'Run `npm run lab -- up` first.' },
  DIFFERENT: {
    title: 'a lab of this name is up, but with other settings',
    remedy: 'Run `npm run lab -- down` first, or use another name (--name or BERTH_LAB).',
  },
  IN_USE: {
    title: 'the lab belongs to another run that is still going on',
    remedy: 'Wait for it to end, or use another name (--name or BERTH_LAB).',
  },
  NOT_GONE: {
    title: 'something of the lab would not go away',
    remedy: 'Run `npm run lab -- down` again; if that says the same, look at the processes that it names.',
  },
  NEEDS_ROOT: {
    title: 'the lab needs Linux and root',
    remedy: 'Run it as root on Linux: it makes namespaces and runs a Docker engine.',
  },
  NEEDS_DEBIAN: {
    title: 'programs are missing, and this is no Debian',
    remedy: 'Run on Debian 12 or later, or install the programs it names.',
  },
  OFF_CONTRACT: {
    title: 'docker-backend answered something that its contract does not have',
    remedy: 'Compare the answer with the contract; the provider daemon would take it for a broken backend.',
  },
  OFFLINE: {
    title: 'the Debian archive cannot be reached',
    remedy: 'Connect the machine to a Debian mirror (see /etc/apt/sources.list), then try again.',
  },
} as const);
