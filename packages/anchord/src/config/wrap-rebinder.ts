/** The settings of a wrap-rebinder. */
import { optional, schema, text } from '@berth/service/config';
import { dockerFields, logLevelField, metricsAddressField, modeField, positiveDuration } from './common.ts';

export const wrapRebinderSchema = schema({
  title: 'wrap-rebinder',
  about:
    'Read once, at the start. A wrap-rebinder makes the containers of its project anew that join a container from outside, when that one was made anew. It needs no setting but the mode.',
  fields: {
    mode: modeField,
    logLevel: logLevelField,
    metricsAddress: metricsAddressField,
    ...dockerFields,
    project: optional('COMPOSE_PROJECT_NAME', text({ trim: true }), {
      about: 'The project whose containers are watched.',
      shownDefault: 'the project of our own container, by its label',
    }),
    pollIntervalMs: optional('ANCHORD_WRAP_POLL_INTERVAL', positiveDuration(), {
      about: 'How often everything is looked at afresh, beside following events.',
      default: 30_000,
    }),
    restartTimeoutMs: optional('ANCHORD_WRAP_RESTART_TIMEOUT', positiveDuration(), {
      about: 'How long a wrap container may take to stop before it is killed and made anew.',
      default: 10_000,
    }),
  },
});
