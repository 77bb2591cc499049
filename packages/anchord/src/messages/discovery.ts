/** What is said about containers, and about the engine that tells of them. */
import { message } from '@berth/service/log';

export const discoveryMessages = {
  pickerInitialised: message(
    'info',
    'shared-network picker initialised',
    ['candidates', 'pinned'],
    'The networks on which backends may be reached.',
  ),
  ownNetworksChanged: message(
    'info',
    'own networks changed',
    ['candidates'],
    'Somebody attached the network-anchor to a network, or detached it: the networks on which backends may be reached from now on.',
  ),
  noCandidates: message(
    'warn',
    'only EXT_NETWORK on self; need at least one project-internal network',
    ['ext_network'],
    'The network-anchor shares no network with its backends; attach it to one.',
  ),
  repicked: message(
    'info',
    'shared network re-picked',
    ['old', 'new'],
    'Backends were seen on another network than first thought.',
  ),
  noBackendsYet: message(
    'warn',
    'no backends found after 5 reconciles',
    ['scope', 'shared_network'],
    'No running container in scope carries the label anchord.expose.',
  ),
  selectorReplacesProject: message(
    'warn',
    'ANCHORD_LABEL_SELECTOR set; ANCHORD_PROJECT ignored',
    ['ignored_project'],
    'The selector alone says which containers belong to us.',
  ),
  selectorActive: message(
    'info',
    'backend label selector active',
    ['selector'],
    'Which containers belong to us.',
  ),
  initialFailed: message(
    'warn',
    'initial snapshot failed',
    ['err'],
    'Docker did not answer; it is asked again.',
  ),
  pollFailed: message(
    'warn',
    'poll snapshot failed',
    ['err'],
    'Docker did not answer; what was applied stays.',
  ),
  eventFailed: message(
    'warn',
    'event-driven snapshot failed',
    ['err'],
    'Docker did not answer; what was applied stays, and it is asked again.',
  ),
  streamFailed: message(
    'warn',
    'docker event stream error, retrying',
    ['err'],
    'The stream of events broke; it is opened again, and everything is looked at afresh.',
  ),
  invalidLabels: message(
    'warn',
    'invalid expose labels',
    ['container', 'err'],
    'The container is not served until its label is right.',
  ),
  contradictoryLabels: message(
    'warn',
    'contradictory expose labels',
    ['container', 'ports'],
    'The label gives one port two targets; the later one counts.',
  ),
  noAddress: message(
    'warn',
    'no usable IP for container',
    ['container', 'shared_network'],
    'The container has no address on a network that we stand on, too.',
  ),
  event: message('debug', 'docker event', ['action', 'actor'], 'Docker said that something happened.'),
  targetInspectFailed: message(
    'debug',
    'wrap-target inspect failed',
    ['ref', 'err?'],
    'The container that a wrap container refers to can not be looked at.',
  ),
  exited: message(
    'error',
    'discovery exited',
    ['err'],
    'Containers are no longer followed; the process ends.',
  ),
};
