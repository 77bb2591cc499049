import { message } from '../log/index.ts';

export const lifecycleMessages = {
  signalReceived: message(
    'info',
    'signal received, shutting down',
    ['signal'],
    'Everything is ended in order.',
  ),
  fatal: message(
    'error',
    'fatal',
    ['err', 'code?', 'remedy?', 'stack?'],
    'The program cannot go on and ends with exit code 1.',
  ),
  taskFailed: message(
    'error',
    'background task failed',
    ['task', 'err'],
    'Something that runs in the background, or a clean-up, ended with an error; the program goes on.',
  ),
  deadlinePassed: message(
    'error',
    'shutdown deadline passed',
    ['waiting'],
    'The named tasks did not end in time; the program ends without them, with exit code 1.',
  ),
  forced: message(
    'warn',
    'second signal, ending without clean-up',
    ['signal', 'waiting'],
    'Somebody did not want to wait; the exit code is 1.',
  ),
};
