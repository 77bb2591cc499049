/** The reference of the labels. What an example means is asked of the parser itself. */
import { exposeLabel, exposeV6Label, parseExposeLabels } from './labels.ts';

const rows = [
  [
    `\`${exposeLabel}\``,
    '`tcp/25`, `udp/53:5353`, several separated by commas',
    'The ports of this container that the LAN may reach, under the address of the network-anchor. The second number is the port inside, if it is another one. Stands on the container that owns the network: the service-anchor, or the wrapped container.',
  ],
  [
    `\`${exposeV6Label}\``,
    '`auto` (default), `off`',
    'Whether the same ports are led there over IPv6, too. Read only where the other label is valid.',
  ],
  [
    '`anchord.identity`',
    'anything',
    'Means nothing by itself: the usual choice for `ANCHORD_LABEL_SELECTOR` where a project has several anchors. Any other label will do.',
  ],
  ['`anchord.managed-by`', 'set by anchord', 'Marks containers that anchord made itself. Leave it alone.'],
] as const;

const examples: readonly (readonly [expose: string, v6?: string])[] = [
  ['tcp/25,tcp/465,tcp/587'],
  ['tcp/636:6636'],
  ['tcp/53, udp/53:5353'],
  ['tcp/80', 'off'],
  ['TCP/80'],
  ['tcp/80:8080,tcp/80:9090'],
  ['80'],
  ['sctp/80'],
  ['tcp/http'],
  ['tcp/0'],
  [','],
  ['tcp/80', 'maybe'],
];

function meaningOf([expose, v6]: (typeof examples)[number]): string {
  const labels = { [exposeLabel]: expose, ...(v6 === undefined ? {} : { [exposeV6Label]: v6 }) };
  const read = parseExposeLabels(labels);
  if (read.kind === 'none') return 'nothing';
  if (read.kind === 'invalid') return `refused: ${read.error}`;
  const ports = read.ports.map(
    ({ protocol, externalPort, backendPort }) => `${protocol} ${externalPort} → ${backendPort}`,
  );
  const families = read.mirrorToIpv6 ? '' : ', IPv4 only';
  const doubt =
    read.contradictions.length === 0
      ? ''
      : `; contradiction over ${read.contradictions.join(', ')}, the later one counts`;
  return `${ports.join(', ')}${families}${doubt}`;
}

const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...body]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

export const labelsPage = (): string => `# Labels of anchord

By these a container says what the LAN may reach of it. One entry that can not be read makes the whole container stay unserved, with
a line in the log, in the metric and in \`/readyz\`; others are not touched by that.

${table(['label', 'values', 'meaning'], rows)}

What some values mean:

${table(
  ['`anchord.expose`', '`anchord.expose.v6`', 'meaning'],
  examples.map((example) => [
    `\`${example[0]}\``,
    example[1] === undefined ? '' : `\`${example[1]}\``,
    meaningOf(example),
  ]),
)}
`;
