/** What we ask nf_tables, and the answers taken apart. */
import {
  Attributes,
  type NetlinkMessage,
  type NetlinkRequest,
  type NetlinkSocket,
} from '../../netlink/index.ts';
import { familyNumber, type TableName } from '../model/index.ts';
import { NETFILTER_HEADER_BYTES, netfilterHeader } from './batch.ts';
import * as nft from './message-numbers.ts';

/** One object of an answer, with the family that stands in front of its attributes. */
export interface Answer {
  readonly family: number;
  readonly attributes: Attributes;
}

const answer = ({ payload }: NetlinkMessage): Answer => ({
  attributes: Attributes.after(payload, NETFILTER_HEADER_BYTES),
  family: payload[0] ?? 0,
});

function dump(
  socket: NetlinkSocket,
  request: Omit<NetlinkRequest, 'body'>,
  table?: TableName,
  name?: string,
): Answer[] {
  const family = table === undefined ? 0 : familyNumber(table.family);
  const body: NetlinkRequest['body'] = (writer) => {
    writer.raw(netfilterHeader(family));
    // The attribute of a table's name is 1 everywhere, and that of an element's set is 2.
    if (table !== undefined) writer.string(1, table.name);
    if (name !== undefined) writer.string(nft.ELEMENTS_SET, name);
  };
  const answers = socket.dump({ ...request, body }, answer);
  // Old kernels answer for all tables, whatever was asked.
  return answers.filter(
    ({ family: from, attributes }) =>
      table === undefined || (from === family && attributes.string(1) === table.name),
  );
}

export const readTables = (socket: NetlinkSocket): Answer[] =>
  dump(socket, { type: nft.GETTABLE, what: 'listing the nftables tables' });

const of = ({ family, name }: TableName): string => `table ${family} ${name}`;

export const readChains = (socket: NetlinkSocket, table: TableName): Answer[] =>
  dump(socket, { type: nft.GETCHAIN, what: `listing the chains of ${of(table)}` }, table);

export const readRules = (socket: NetlinkSocket, table: TableName): Answer[] =>
  dump(socket, { type: nft.GETRULE, what: `listing the rules of ${of(table)}` }, table);

export const readSets = (socket: NetlinkSocket, table: TableName): Answer[] =>
  dump(socket, { type: nft.GETSET, what: `listing the sets of ${of(table)}` }, table);

export const readObjects = (socket: NetlinkSocket, table: TableName): Answer[] =>
  dump(socket, { type: nft.GETOBJ, what: `listing the objects of ${of(table)}` }, table);

export const readElementLists = (socket: NetlinkSocket, table: TableName, set: string): Answer[] =>
  dump(
    socket,
    { type: nft.GETSETELEM, what: `listing the elements of set ${set} of ${of(table)}` },
    table,
    set,
  );
