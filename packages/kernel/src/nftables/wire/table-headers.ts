/** The tables of a namespace, seen from outside. */
import type { NetlinkSocket } from '../../netlink/index.ts';
import { familyLabel, given, readMark } from '../model/index.ts';
import { TABLE_FLAGS, TABLE_NAME, TABLE_USERDATA } from './message-numbers.ts';
import { readTables } from './requests.ts';
import { readComment } from './userdata.ts';

/** A table of anybody, seen from outside. */
export interface TableHeader {
  /** Of any family, also those that we never make. */
  readonly family: string;
  readonly name: string;
  /** Whose it is, if it is of our making. */
  readonly owner?: string;
  readonly comment?: string;
  /** Switched off or otherwise odd: we never make such a table. */
  readonly flagged?: true;
}

export function readTableHeaders(socket: NetlinkSocket): TableHeader[] {
  return readTables(socket).map(({ family, attributes }) => {
    const comment = readComment(attributes.binary(TABLE_USERDATA));
    const mark = readMark(comment);
    return {
      family: familyLabel(family),
      name: attributes.string(TABLE_NAME) ?? '',
      ...given('owner', mark?.owner),
      ...given('comment', mark === undefined ? comment : mark.words),
      ...given('flagged', (attributes.u32be(TABLE_FLAGS) ?? 0) === 0 ? undefined : true),
    };
  });
}
