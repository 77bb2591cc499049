/**
 * Messages that operators grep for stand in a table: from it the calls get their types, and the reference is made.
 *
 *     const messages = {
 *       reconciled: message('info', 'reconciled', ['backends', 'entries'], 'The kernel has what Docker says.'),
 *     };
 *     log.say(messages.reconciled, { backends: 2, entries: 5 });
 */
import type { Level } from './level.ts';

export interface Message<Attr extends string = string> {
  readonly level: Level;
  /** The exact text. */
  readonly msg: string;
  /** Names of the attributes; one that is not always there ends in `?`. */
  readonly attrs: readonly Attr[];
  /** What it tells the operator, for the reference. */
  readonly meaning: string;
}

/** A program's or a package's messages, by the names that the code calls them. */
export type MessageTable = Readonly<Record<string, Message>>;

export function message<const Attr extends string = never>(
  level: Level,
  msg: string,
  attrs: readonly Attr[],
  meaning: string,
): Message<Attr> {
  return { level, msg, attrs, meaning };
}

type Always<Attr extends string> = Attr extends `${string}?` ? never : Attr;
type Sometimes<Attr extends string> = Attr extends `${infer Name}?` ? Name : never;

/** Exactly the attributes that the table names. */
export type MessageAttrs<Attr extends string> = { readonly [name in Always<Attr>]: unknown } & {
  readonly [name in Sometimes<Attr>]?: unknown;
};

/** The attributes as arguments: none has to be given where none is always there. */
export type MessageArgs<Attr extends string> = [Always<Attr>] extends [never]
  ? readonly [attrs?: MessageAttrs<Attr>]
  : readonly [attrs: MessageAttrs<Attr>];
