/** The marks by which an operation's containers are found again, by a retry or after a crash. */

export const recreateLabels = {
  /** On the new container: the operation that made it. */
  operation: 'berth.recreate.operation',
  /** On the new container: the id of the one that it replaces. */
  replaces: 'berth.recreate.replaces',
} as const;

/** An operation's name. Given by the caller, who asks with the same one again when an answer was lost. */
const operationPattern = /^[a-z0-9]{6,32}$/;
const asidePattern = /^(.+)\.berth-([a-z0-9]{6,32})(\.up)?$/;

export const isOperation = (text: string): boolean => operationPattern.test(text);

/** What the name of a container that was set aside says. */
export interface Aside {
  /** The name that it had. */
  readonly name: string;
  readonly operation: string;
  /** Whether it ran when it was set aside. */
  readonly ran: boolean;
}

/**
 * A container's labels cannot be changed, its name can: so the name says what has to be known to put it back, also to a
 * process that knows nothing else.
 */
export const asideName = ({ name, operation, ran }: Aside): string =>
  `${name}.berth-${operation}${ran ? '.up' : ''}`;

export function parseAsideName(text: string): Aside | undefined {
  const [, name, operation, up] = asidePattern.exec(text) ?? [];
  return name === undefined || operation === undefined
    ? undefined
    : { name, operation, ran: up !== undefined };
}
