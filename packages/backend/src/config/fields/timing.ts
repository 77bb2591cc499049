/** How long things may take, and how many at once. */
import { integer, optional } from '@berth/service/config';
import { minutes, positiveSpan, seconds, span } from '../spans.ts';

export const timingFields = {
  imagePullTimeoutMs: optional('image_pull_timeout', positiveSpan, {
    default: minutes(5),
    about: 'Longest pull of one image.',
  }),
  containerCreateTimeoutMs: optional('container_create_timeout', positiveSpan, {
    default: seconds(30),
    about: 'Longest creation of one container.',
  }),
  containerStartTimeoutMs: optional('container_start_timeout', positiveSpan, {
    default: seconds(30),
    about: 'Longest start of one container.',
  }),
  containerStopTimeoutMs: optional('container_stop_timeout', span, {
    default: seconds(30),
    about: 'How long a container may take to stop when its lease is closed; 0 means 30s.',
  }),
  startupVerifyDurationMs: optional('startup_verify_duration', span, {
    default: seconds(5),
    about: 'How long a container without a health check must run before it counts as started; 0 means 5s.',
  }),
  provisionTimeoutMs: optional('provision_timeout', positiveSpan, {
    default: minutes(10),
    about: 'Longest provision, restart, update or restore as a whole.',
  }),
  reconcileIntervalMs: optional('reconcile_interval', positiveSpan, {
    default: minutes(5),
    about: 'How often leases are compared with the containers that there are.',
  }),
  parallelPulls: optional('parallel_pulls', integer({ min: 1 }), {
    default: 4,
    about:
      'How many images are pulled at the same time. The same image is pulled once, however many wait for it.',
  }),
  migrationGracePeriodMs: optional('migration_grace_period', span, {
    default: minutes(1),
    about: 'How long a superseded container of the old form lingers.',
  }),
  migrationReadyTimeoutMs: optional('migration_ready_timeout', span, {
    default: seconds(90),
    about: 'How long a container of the old form may take to come up in the new one.',
  }),
};
