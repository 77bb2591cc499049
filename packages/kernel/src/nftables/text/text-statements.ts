/** Statements in the language of `nft`. */
import {
  type DataType,
  type Family,
  type Field,
  fieldRow,
  type InlineMap,
  type InlineSet,
  type Limit,
  type Log,
  type Match,
  type Named,
  type Nat,
  type NatFlag,
  type NatTarget,
  type PortTarget,
  type RejectReason,
  type SetMark,
  type Statement,
  type TransparentProxy,
  type UpdateSet,
} from '../model/index.ts';
import { textOfData, textOfKey, textOfPart, textOfTime } from './text-values.ts';

export function textOfStatement(family: Family, statement: Statement): string {
  switch (statement.kind) {
    case 'match':
      return textOfMatch(statement);
    case 'verdict':
      return textOfData('verdict', statement.verdict);
    case 'vmap':
      return `${concatenated(statement.fields)} vmap ${textOfMap(statement.fields, 'verdict', statement.map)}`;
    case 'nat':
      return textOfNat(statement);
    case 'masquerade':
      return `masquerade${textOfTarget(statement.ports)}${textOfFlags(statement.flags)}`;
    case 'redirect':
      return `redirect${textOfTarget(statement.port)}${textOfFlags(statement.flags)}`;
    case 'tproxy':
      return textOfProxy(statement);
    case 'reject':
      return `reject with ${rejection(family, statement.reason)}`;
    case 'counter':
      return textOfCount(statement);
    case 'limit':
      return textOfLimit(statement);
    case 'log':
      return textOfLog(statement);
    case 'set-mark':
      return textOfSetMark(statement);
    case 'update-set':
      return textOfUpdate(statement);
    case 'notrack':
      return 'notrack';
    case 'opaque':
      return '';
  }
}

const concatenated = (fields: readonly Field[]): string => fields.join(' . ');
const typesOf = (fields: readonly Field[]): readonly DataType[] =>
  fields.map((field) => fieldRow(field).type);
const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

function textOfMatch({ fields, test }: Match): string {
  const left = concatenated(fields);
  const [type = 'mark'] = typesOf(fields);
  switch (test.is) {
    case 'value':
      return `${left} ${test.negated ? '!= ' : ''}${textOfPart(type, test.value)}`;
    case 'masked':
      return `${left} & ${hex(test.mask)} ${test.negated ? '!=' : '=='} ${hex(test.value)}`;
    case 'bits':
      return `${left} ${test.present ? '' : '! '}${test.bits.map((bit) => textOfPart(type, bit)).join(',')}`;
    case 'in':
      return `${left} ${test.negated ? '!= ' : ''}${textOfMembers(fields, test.set)}`;
  }
}

function textOfMembers(fields: readonly Field[], set: Named | InlineSet): string {
  if ('name' in set) return `@${set.name}`;
  return `{ ${set.keys.map((key) => textOfKey(typesOf(fields), key)).join(', ')} }`;
}

function textOfMap(
  fields: readonly Field[],
  data: readonly DataType[] | 'verdict',
  map: Named | InlineMap,
): string {
  if ('name' in map) return `@${map.name}`;
  const entries = map.entries.map(
    (entry) => `${textOfKey(typesOf(fields), entry.key)} : ${textOfData(data, entry.data)}`,
  );
  return `{ ${entries.join(', ')} }`;
}

function textOfNat({ direction, family, to, flags }: Nat): string {
  const ofAddress = 'fields' in to || to.address !== undefined ? ` ${family}` : '';
  return `${direction}${ofAddress} to ${textOfNatTarget(family, to)}${textOfFlags(flags)}`;
}

function textOfNatTarget(family: Family, to: NatTarget): string {
  if ('fields' in to) {
    const address: DataType = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
    const withPort = 'entries' in to.map && to.map.entries.some(({ data }) => data.length > 1);
    const data: readonly DataType[] = withPort ? [address, 'inet_service'] : [address];
    return `${concatenated(to.fields)} map ${textOfMap(to.fields, data, to.map)}`;
  }
  const { address, port } = to;
  const bracketed = (text: string): string => (family === 'ip6' && port !== undefined ? `[${text}]` : text);
  const host =
    typeof address === 'object'
      ? `${bracketed(address.from)}-${bracketed(address.to)}`
      : bracketed(address ?? '');
  return `${address === undefined ? '' : host}${port === undefined ? '' : `:${textOfPart('inet_service', port)}`}`;
}

const textOfTarget = (port: PortTarget | undefined): string =>
  port === undefined ? '' : ` to :${textOfPart('inet_service', port)}`;

const textOfFlags = (flags: readonly NatFlag[]): string => (flags.length === 0 ? '' : ` ${flags.join(',')}`);

function textOfProxy({ family, address, port }: TransparentProxy): string {
  const host = address !== undefined && family === 'ip6' ? `[${address}]` : (address ?? '');
  return `tproxy ${family} to ${host}${port === undefined ? '' : `:${port}`}`;
}

const words: Readonly<Record<Exclude<RejectReason, 'tcp-reset'>, Readonly<Record<Family, string>>>> = {
  'no-route': { ip: 'net-unreachable', ip6: 'no-route', inet: 'no-route' },
  'host-unreachable': { ip: 'host-unreachable', ip6: 'addr-unreachable', inet: 'host-unreachable' },
  'port-unreachable': { ip: 'port-unreachable', ip6: 'port-unreachable', inet: 'port-unreachable' },
  'admin-prohibited': { ip: 'admin-prohibited', ip6: 'admin-prohibited', inet: 'admin-prohibited' },
};
const icmp: Readonly<Record<Family, string>> = { ip: 'icmp', ip6: 'icmpv6', inet: 'icmpx' };

const rejection = (family: Family, reason: RejectReason): string =>
  reason === 'tcp-reset' ? 'tcp reset' : `${icmp[family]} type ${words[reason][family]}`;

function textOfCount({ name, tally }: Extract<Statement, { readonly kind: 'counter' }>): string {
  if (name !== undefined) return `counter name "${name}"`;
  return tally === undefined ? 'counter' : `counter packets ${tally.packets} bytes ${tally.bytes}`;
}

function textOfLimit({ rate, per, of, burst, over }: Limit): string {
  const unit = of === 'bytes' ? ' bytes' : '';
  const extra = of === 'bytes' && burst === 0 ? '' : ` burst ${burst} ${of}`;
  return `limit rate ${over ? 'over ' : ''}${rate}${unit}/${per}${extra}`;
}

const textOfLog = ({ prefix, to }: Log): string =>
  [
    'log',
    ...(prefix === undefined ? [] : [`prefix "${prefix}"`]),
    ...('group' in to ? [`group ${to.group}`] : [`level ${to.level}`]),
  ].join(' ');

function textOfSetMark({ of, to }: SetMark): string {
  if ('copyOf' in to) return `${of} mark set ${to.copyOf} mark`;
  const { value, mask } = to;
  if (mask === undefined) return `${of} mark set ${hex(value)}`;
  return `${of} mark set ${of} mark & ${hex(~mask >>> 0)} ^ ${hex((value & mask) >>> 0)}`;
}

function textOfUpdate({ how, set, fields, timeoutMs }: UpdateSet): string {
  const timeout = timeoutMs === undefined ? '' : ` timeout ${textOfTime(timeoutMs)}`;
  return `${how} @${set} { ${concatenated(fields)}${timeout} }`;
}
