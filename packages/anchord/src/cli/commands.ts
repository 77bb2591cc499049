/** The table of commands. */
import { checkCodes } from '../doctor/table.ts';
import type { Command, Example, Option } from './command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export const modeNames = ['network-anchor', 'service-anchor', 'external-rebinder', 'wrap-rebinder'] as const;

const helpOption: Option = { flag: '--help', about: 'Says this.' };
const jsonOption: Option = { flag: '--json', about: 'Prints one JSON document, for programs.' };
const modeOption: Option = {
  flag: '--mode',
  value: 'MODE',
  oneOf: modeNames,
  about:
    'The mode whose settings are meant. Default: ANCHORD_MODE, else the mode of the process that runs here.',
};

const modeExits = {
  0: 'Stopped by a signal, everything put in order.',
  1: 'The settings cannot be used, or it cannot go on; the last log line says why.',
} as const;

const usageExit = 'The command line cannot be understood.';

const mode = (
  name: (typeof modeNames)[number],
  summary: string,
  about: readonly string[],
  examples: readonly Example[],
): Command => ({
  name,
  kind: 'mode',
  summary,
  about: [
    ...about,
    'Its settings are environment variables; whatever else stands behind the name is passed over.',
  ],
  options: [helpOption],
  examples,
  exits: modeExits,
});

export const commands: readonly Command[] = [
  mode(
    'network-anchor',
    'Gives a Compose project its address on the LAN. The default mode.',
    [
      'Leads each exposed port to its container, keeps the address and the default route, and watches the containers around it. Needs NET_ADMIN, NET_RAW for DHCP, and access to the Docker API.',
    ],
    [
      {
        what: 'On an existing macvlan network called lan:',
        line: 'docker run -d --name mail-anchor --network lan --cap-add NET_ADMIN --sysctl net.ipv4.ip_forward=1 -v /var/run/docker.sock:/var/run/docker.sock -e ANCHORD_PROJECT=mail -e ANCHORD_EXT_NETWORK=lan anchord:dev',
      },
      {
        what: 'And where its backends are, as service-anchors look for it:',
        line: 'docker network connect --alias anchord mail_transit mail-anchor',
      },
    ],
  ),
  mode(
    'service-anchor',
    "Keeps a namespace's default route at the network-anchor.",
    ['Owns the network of one service, or joins that of a container. Needs NET_ADMIN, and no Docker API.'],
    [
      {
        what: 'Beside a container of somebody else:',
        line: 'docker run --network container:app --cap-add NET_ADMIN -e ANCHORD_GATEWAY_IP=172.30.1.2 anchord:dev service-anchor',
      },
    ],
  ),
  mode(
    'external-rebinder',
    "Re-attaches a container to another stack's network when that is made anew.",
    ['Needs access to the Docker API that may change things, and no capability.'],
    [
      {
        what: 'Keep the container app on the network proxy_net:',
        line: 'docker run -v /var/run/docker.sock:/var/run/docker.sock -e ANCHORD_FOLLOW_NETWORK=proxy_net -e ANCHORD_FOLLOW_TARGET=app anchord:dev external-rebinder',
      },
    ],
  ),
  mode(
    'wrap-rebinder',
    'Re-creates containers whose network belonged to a container that is gone.',
    ['Needs access to the Docker API that may change things, and no capability.'],
    [
      {
        what: 'For the Compose project that the container itself belongs to:',
        line: 'docker run -v /var/run/docker.sock:/var/run/docker.sock -e COMPOSE_PROJECT_NAME=wrap anchord:dev wrap-rebinder',
      },
    ],
  ),
  {
    name: 'doctor stale-netns',
    kind: 'tool',
    summary: 'Lists containers that sit in the network of a container that is gone.',
    about: ['Looks at all containers of the host, in every state, and says how to bring each one back.'],
    options: [],
    examples: [
      {
        what: 'From anywhere on the host:',
        line: 'docker run --rm -v /var/run/docker.sock:/var/run/docker.sock anchord:dev doctor stale-netns',
      },
    ],
    exits: { 0: 'Looked, whatever was found.', 1: 'Could not look.' },
  },
  {
    name: 'doctor all',
    kind: 'tool',
    summary: 'Checks everything, and says what is wrong and what to do.',
    about: [
      'Inside of an anchor it checks that anchor: Docker and its rights, interface, addresses, gateway, routes, tables, the path to each backend. In a container of its own it checks what can be seen through the Docker API.',
      'With --fix it mends what it can, and looks again. Nothing is changed without it. Ctrl-C lets the step at hand come to its end first.',
    ],
    options: [
      jsonOption,
      {
        flag: '--only',
        value: 'CHECK',
        oneOf: checkCodes,
        many: true,
        about: 'Carries out this check alone; may be given several times.',
      },
      { flag: '--fix', about: 'Mends what it can.' },
      { flag: '--dry-run', about: 'With --fix: says what would be done, and does nothing.' },
      helpOption,
    ],
    examples: [
      { what: 'An anchor that runs:', line: 'docker exec mail-anchord-1 anchord doctor all' },
      {
        what: 'What would be mended:',
        line: 'docker exec mail-anchord-1 anchord doctor all --fix --dry-run',
      },
      {
        what: 'A host without going into an anchor:',
        line: 'docker run --rm -v /var/run/docker.sock:/var/run/docker.sock anchord:dev doctor all',
      },
      {
        what: 'One check in a script:',
        line: 'anchord doctor all --only dead-namespace >/dev/null || echo "somebody sits in a dead namespace"',
      },
    ],
    exits: {
      0: 'All is fine.',
      1: 'There are problems.',
      2: usageExit,
      3: 'No problem was found, but something could not be checked.',
      130: 'A signal stopped --fix between two steps.',
    },
  },
  {
    name: 'status',
    kind: 'tool',
    summary: 'Says what the anchor in this container is, has and does.',
    about: ['Asks the process that runs beside it. Shows no secret.'],
    options: [jsonOption, helpOption],
    examples: [
      { what: 'For people:', line: 'docker exec mail-anchord-1 anchord status' },
      { what: 'For programs:', line: 'docker exec mail-anchord-1 anchord status --json' },
    ],
    exits: { 0: 'It answered.', 2: usageExit, 3: 'No process answers in this container.' },
  },
  {
    name: 'health',
    kind: 'tool',
    summary: 'Says whether the anchor in this container is ready. For HEALTHCHECK.',
    about: ['The image has it as its health check.'],
    options: [helpOption],
    examples: [{ what: 'By hand:', line: 'docker exec mail-anchord-1 anchord health' }],
    exits: { 0: 'Ready.', 1: 'Not ready, or no answer.', 2: usageExit },
  },
  {
    name: 'config check',
    kind: 'tool',
    summary: 'Reads the settings, and says all that is wrong with them.',
    about: ['Starts nothing and asks nobody.'],
    options: [modeOption, helpOption],
    examples: [
      {
        what: 'Before a container is rolled out:',
        line: 'docker run --rm --env-file anchord.env anchord:dev config check',
      },
    ],
    exits: { 0: 'The settings can be used.', 1: 'They cannot.', 2: usageExit },
  },
  {
    name: 'config print',
    kind: 'tool',
    summary: 'Prints each setting, its value, and where that comes from.',
    about: ['What may be secret is shown as asterisks.'],
    options: [modeOption, jsonOption, helpOption],
    examples: [{ what: 'Of an anchor that runs:', line: 'docker exec mail-anchord-1 anchord config print' }],
    exits: { 0: 'Printed.', 1: 'The settings cannot be used.', 2: usageExit },
  },
  {
    name: 'completion',
    kind: 'tool',
    summary: 'Prints a script that completes these commands in a shell.',
    about: [
      'The tests press the tab key in bash. The scripts for zsh and fish are made from the same table, and are not tried in those shells.',
    ],
    argument: { name: 'SHELL', oneOf: shells, about: 'The shell that is to read it.' },
    options: [helpOption],
    examples: [
      {
        what: 'For bash, on a host with a wrapper called anchord:',
        line: 'docker run --rm anchord:dev completion bash > /etc/bash_completion.d/anchord',
      },
    ],
    exits: { 0: 'Printed.', 2: usageExit },
  },
  {
    name: 'help',
    kind: 'tool',
    summary: 'Says what there is; with --man, as a manual page.',
    about: ['The same as --help. Each command has a --help of its own.'],
    options: [{ flag: '--man', about: 'Prints the manual page, for man.' }, helpOption],
    examples: [{ what: 'Read the manual:', line: 'docker run --rm anchord:dev help --man | man -l -' }],
    exits: { 0: 'Said.', 2: usageExit },
  },
  {
    name: 'version',
    kind: 'tool',
    summary: 'Says which build this is. Also --version.',
    about: [],
    options: [helpOption],
    examples: [],
    exits: { 0: 'Said.', 2: usageExit },
  },
];
