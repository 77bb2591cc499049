/** `anchord status`: what the process in this container is, has and does. */
import { systemClock } from '@berth/service';
import type { CommandLineHost, Given } from '../cli/command.ts';
import { columns, hanging } from '../cli/text.ts';
import { families } from '../families.ts';
import { problemLine } from '../problems.ts';
import { askStatus, type Status } from '../status/index.ts';

/** 0: it answered. 3: nobody answers. */
export async function status(
  { flags }: Given,
  { out, err }: Pick<CommandLineHost, 'out' | 'err'>,
  socket?: string,
): Promise<number> {
  const told = await askStatus(systemClock, socket);
  if (typeof told === 'string') {
    err(`anchord: ${told}
Ask inside of the container of an anchor: docker exec NAME anchord status
`);
    return 3;
  }
  out(flags.has('--json') ? `${JSON.stringify(told, undefined, 2)}\n` : described(told));
  return 0;
}

/** For people. What a mode does not have is not mentioned. */
export function described(told: Status): string {
  const parts = [
    columns(facts(told)),
    listed(
      'Ports',
      told.ports?.map(({ port, family, to, container }) => [port, family, `→ ${to}`, container]),
    ),
    listed(
      'Wraps',
      told.wraps?.map(({ container, target = 'unknown' }) => [container, `→ ${target}`]),
    ),
    lines('Problems', told.problems.map(problemLine), 'none'),
    lines(
      'Repairs',
      told.repairs.map(({ at, what }) => `${at} ${what}`),
    ),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function facts(told: Status): readonly (readonly [string, string])[] {
  const { external, scope, leases = [], gateways, mode, version, startedAt, pid } = told;
  const { forwarding, managed, follows, parked } = told;
  const waits = Object.entries(told.gates).flatMap(([gate, met]) => (met ? [] : [gate]));
  const all: readonly (readonly [string, string | undefined])[] = [
    ['Mode', `${mode}, version ${version}`],
    ['Running', `since ${startedAt}, process ${pid}`],
    ['Ready', told.ready ? 'yes' : `no, waits for ${waits.join(', ')}`],
    ['Project', scope?.project],
    ['Serves', scope?.selector || undefined],
    ['Interface', external && interfaceOf(external)],
    ['Addresses', external && (external.addresses.join(', ') || 'none')],
    ['Addressing', external && `${external.addressMode}, as ${external.hostname}`],
    ...leases.map(
      ({ family, remainingSeconds }) => [`Lease ${family}`, `ends in ${spanOf(remainingSeconds)}`] as const,
    ),
    ['Follows', follows && (parked === true ? `${follows}, off it until its owner is back` : follows)],
    ...families.map((family) => [`Gateway ${family}`, gateways?.[family]] as const),
    ['Inside', told.sharedNetwork],
    ['Forwards', forwarding && (forwarding.inner.join(', ') || 'nothing')],
    ['Refuses', forwarding?.refused.join(', ') || undefined],
    ['Manages', managed && `${managed.name} beside ${managed.target}`],
  ];
  return all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

function interfaceOf({
  network,
  interface: name,
  mac = 'no MAC',
  up,
}: NonNullable<Status['external']>): string {
  return `${name}, ${mac}, ${up ? 'up' : 'down'}${network === undefined ? '' : `, network ${network}`}`;
}

function spanOf(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${seconds} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function listed(title: string, rows: readonly (readonly string[])[] | undefined): string {
  if (rows === undefined) return '';
  return rows.length === 0 ? `${title}\n  none` : `${title}\n${columns(rows, '  ')}`;
}

function lines(title: string, all: readonly string[], none?: string): string {
  if (all.length === 0) return none === undefined ? '' : `${title}\n  ${none}`;
  return [title, ...all.map((line) => hanging('  ', line))].join('\n');
}
