/** The settings of a service-anchor. */
import { ipList, optional, schema, text } from '@berth/service/config';
import { logLevelField, metricsAddressField, modeField, positiveDuration } from './common.ts';

export const serviceAnchorSchema = schema({
  title: 'service-anchor',
  about:
    'Read once, at the start. A service-anchor owns or joins the network of one service and keeps its default route at the network-anchor; it never talks to Docker.',
  fields: {
    mode: modeField,
    logLevel: logLevelField,
    metricsAddress: metricsAddressField,
    gatewayHostname: optional('ANCHORD_GATEWAY_HOSTNAME', text(), {
      about: 'The name of the network-anchor. Not looked at when `ANCHORD_GATEWAY_IP` is set.',
      default: 'anchord',
    }),
    gatewayIp: optional('ANCHORD_GATEWAY_IP', ipList(), {
      about:
        'The address of the network-anchor, at most one for each family, instead of its name. A service-anchor that joins a container from outside needs it: the DNS of that container does not know the name.',
    }),
    resolveIntervalMs: optional('ANCHORD_GATEWAY_RESOLVE_INTERVAL', positiveDuration(), {
      about: 'How often the name is looked up, and the default route checked beside following its changes.',
      default: 5_000,
    }),
  },
});
