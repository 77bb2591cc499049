/** The settings of an external-rebinder. */
import { boolean, duration, optional, required, schema, text } from '@berth/service/config';
import { dockerFields, logLevelField, metricsAddressField, modeField, positiveDuration } from './common.ts';

export const externalRebinderSchema = schema({
  title: 'external-rebinder',
  about:
    'Read once, at the start. An external-rebinder keeps one container of its project on a network that belongs to another stack, also when that stack makes the network anew.',
  fields: {
    mode: modeField,
    logLevel: logLevelField,
    metricsAddress: metricsAddressField,
    ...dockerFields,
    project: optional('COMPOSE_PROJECT_NAME', text({ trim: true }), {
      about: 'The project in which a service of the name ANCHORD_FOLLOW_TARGET is looked for.',
      shownDefault: 'the project of our own container, by its label',
    }),
    network: required('ANCHORD_FOLLOW_NETWORK', text({ trim: true }), {
      about: 'Name of the network that is followed.',
      missing: 'must be set in external-rebinder mode',
    }),
    target: required('ANCHORD_FOLLOW_TARGET', text({ trim: true }), {
      about: 'The follower: a service of our project, else the name of a container.',
      missing: 'must be set in external-rebinder mode',
    }),
    restart: optional('ANCHORD_FOLLOW_RESTART', boolean(), {
      about: 'Restart the follower after it was attached, for programs that look at their network once.',
      default: false,
    }),
    eventBackoffMs: optional('ANCHORD_FOLLOW_EVENT_BACKOFF', duration({ range: 'non-negative' }), {
      about:
        'How long to wait after the network was created before anything is done, and between two attempts to attach.',
      default: 2_000,
    }),
    pollIntervalMs: optional('ANCHORD_FOLLOW_POLL_INTERVAL', positiveDuration(), {
      about: 'How often the network and the follower are looked at afresh, beside following events.',
      default: 30_000,
    }),
  },
});
