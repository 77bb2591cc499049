import { ErrorTable } from './errors.ts';

/** What can go wrong in what every daemon is built on. */
export const serviceErrors = new ErrorTable({
  CONFIG_INVALID: {
    title: 'The configuration does not hold',
    remedy: 'Correct the settings that the message names; nothing has been started or changed.',
  },
  CONFIG_UNREADABLE: {
    title: 'The configuration file cannot be read',
    remedy: 'Check that the file is there, readable and valid YAML.',
  },
  DEADLINE_PASSED: {
    title: 'Something took longer than it may',
    remedy: 'Look at what the message says was waited for; it may be slow, stuck or unreachable.',
  },
  MAILBOX_CLOSED: {
    title: 'The receiver of a message has ended',
    remedy: 'Try again: either there is a new receiver, or the process is stopping.',
  },
});
