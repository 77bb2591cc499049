import { ErrorTable } from '@berth/service';

/** Everything that can go wrong in anchord by a name of its own. */
export const anchordErrors = new ErrorTable({
  MODE_UNKNOWN: {
    title: 'There is no such mode',
    remedy: 'Give one of the modes as the first word of the command, or in ANCHORD_MODE.',
  },
  ALREADY_RUNNING: {
    title: 'Another anchord runs in this container',
    remedy: 'Look with anchord status; start another one in a container of its own.',
  },
  DOCTOR_USAGE: {
    title: 'The doctor does not understand the command line',
    remedy: 'anchord doctor says what there is.',
  },
  SELECTOR_INVALID: {
    title: 'The label selector can not be read',
    remedy: 'Write ANCHORD_LABEL_SELECTOR as key=value pairs, separated by commas, each key once.',
  },
  GATEWAY_NOT_ON_LINK: {
    title: 'No interface of ours stands in the network of the gateway',
    remedy: 'Look whether the gateway is right, and whether this container stands on one network with it.',
  },
  GATEWAY_NOT_FOUND: {
    title: 'The name of the gateway leads nowhere',
    remedy: 'Run the network-anchor under that name on a network of ours, or set ANCHORD_GATEWAY_IP.',
  },
  EXTERNAL_INTERFACE_NOT_FOUND: {
    title: 'The external interface was not found',
    remedy:
      'Attach the network-anchor to the network that ANCHORD_EXT_NETWORK names, and let DOCKER_HOST lead to an engine that lets it inspect itself.',
  },
  SELF_NOT_FOUND: {
    title: 'We do not find our own container',
    remedy:
      'Let DOCKER_HOST lead to the engine that runs this container, with the right to inspect containers, and do not set hostname: to the name of another one.',
  },
  PROJECT_UNKNOWN: {
    title: 'The project of the wrap-rebinder is not known',
    remedy: 'Run it as a service of a Compose project, or set COMPOSE_PROJECT_NAME.',
  },
  NO_OWN_NETWORKS: {
    title: 'Our own container stands on no Docker network',
    remedy: 'Attach the network-anchor to the external network and to the network of its backends.',
  },
  VLAN_PARENT_MISSING: {
    title: 'The link that ANCHORD_VLAN_PARENT names is not in this namespace',
    remedy:
      'Move the link into the namespace of this container; or make a Docker macvlan network and name it in ANCHORD_EXT_NETWORK.',
  },
  SHARED_NETWORK_NOT_OURS: {
    title: 'The pinned shared network is not one of our own networks',
    remedy:
      'Attach the network-anchor to it, or let ANCHORD_SHARED_NETWORK name a network that it stands on.',
  },
});
