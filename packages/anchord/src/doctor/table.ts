/**
 * Everything that the doctor looks at. What a running anchor notices by itself stands in the table of problems, and is here
 * by the same code and in the same words; the rest only somebody who was called looks at.
 */
import { type ProblemRow, problemTable } from '../problems.ts';

const ownRows = {
  'process-silent': {
    title: 'The anchor answers',
    severity: 'error',
    meaning: 'Nothing is known of its state, and nothing follows what changes.',
    remedy: 'Look into the log of the container, and restart it.',
  },
  'event-stream': {
    title: 'Docker tells what happens',
    severity: 'error',
    meaning: 'Changes of containers are seen at the next poll only.',
    remedy:
      'Let the socket proxy allow EVENTS, and let it pass a stream on as it comes, without buffering it.',
  },
  'external-network': {
    title: 'The external network is there, and we are on it',
    severity: 'error',
    meaning: 'The anchor has no way to the LAN, and does not start again once it was stopped.',
    remedy: 'Make the network, attach the container to it, and let ANCHORD_EXT_NETWORK have its name.',
  },
  'external-interface': {
    title: 'The external interface is up',
    severity: 'error',
    meaning: 'Nobody on the LAN reaches the project.',
    remedy: 'Look whether the parent interface on the host is up and its cable in.',
  },
  'gateway-silent': {
    title: 'The gateway answers on the link',
    severity: 'error',
    meaning: 'Answers to clients beyond the LAN, and all that goes out, get no further than here.',
    remedy:
      'Look whether the router has this address, and whether VLAN and parent interface are the right ones.',
  },
  'default-route': {
    title: 'The default routes lead to the gateway',
    severity: 'error',
    meaning: 'Answers to clients beyond the LAN, and all that goes out, take the wrong way or none.',
    remedy: 'A running anchor repairs it by itself within seconds; --fix does it at once.',
  },
  'tables-differ': {
    title: 'The tables in the kernel are as they should be',
    severity: 'error',
    meaning: 'Ports lead nowhere, or to a container that is gone.',
    remedy: 'A running anchor repairs them by itself at once; --fix does it without one.',
  },
  'half-done-repair': {
    title: 'Every re-creation was brought to its end',
    severity: 'error',
    meaning: 'A container stands aside under another name, and its service may not run.',
    remedy: '--fix finishes it, or puts the old container back.',
  },
  'nobody-listens': {
    title: 'Somebody listens at each exposed port',
    severity: 'warning',
    meaning: 'Clients are refused.',
    remedy:
      'Start the service, let it listen on all addresses and not on 127.0.0.1 alone, or correct anchord.expose.',
  },
  'stale-network': {
    title: 'All containers stand on networks that exist',
    severity: 'error',
    meaning: 'The network was made anew under its name, and the container still hangs on the old one.',
    remedy: 'Disconnect the container from the network and connect it again; --fix does it.',
  },
  clock: {
    title: "The engine's clock and ours agree",
    severity: 'warning',
    meaning: 'Logs cannot be laid side by side, and events of a gap may be missed.',
    remedy: 'Run a time service on both machines.',
  },
} as const satisfies Readonly<Record<string, ProblemRow>>;

/** In the order in which they are carried out: what others rest on first. */
const order = [
  'docker-unreachable',
  'docker-permission',
  'event-stream',
  'clock',
  'process-silent',
  'external-network',
  'external-interface',
  'no-external-address',
  'no-lease',
  'gateway-unknown',
  'gateway-unresolved',
  'gateway-silent',
  'default-route',
  'forwarding-off',
  'tables-differ',
  'half-done-repair',
] as const;

const rows = { ...ownRows, ...problemTable };
export type CheckCode = keyof typeof rows;

export const checkTable: Readonly<Record<CheckCode, ProblemRow>> = rows;

const first: readonly CheckCode[] = order;
export const checkCodes: readonly CheckCode[] = [
  ...first,
  ...(Object.keys(problemTable) as (keyof typeof problemTable)[]).filter((code) => !first.includes(code)),
  ...(Object.keys(ownRows) as (keyof typeof ownRows)[]).filter((code) => !first.includes(code)),
];
