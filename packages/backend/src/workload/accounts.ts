/** The account files of an image: names to numbers. */

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Lines `name:password:uid:gid:...`; what is no such line is passed over, as every program does. */
export function parsePasswd(text: string): readonly Account[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    return name !== '' && isId(uid) && isId(gid) ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

/** Lines `name:password:gid:...`. */
export function parseGroup(text: string): ReadonlyMap<string, number> {
  const groups = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name = '', , gid = ''] = line.split(':');
    if (name !== '' && isId(gid) && !groups.has(name)) groups.set(name, Number(gid));
  }
  return groups;
}

/** Numbers that the kernel takes for a user or group. */
const isId = (text: string): boolean => /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1;

export interface WantedUser {
  readonly user: string;
  /** Empty: the group of the account, or (for a number) the same number. */
  readonly group: string;
}

/** `user` or `user:group`. */
export function parseUser(written: string): WantedUser {
  const [user = '', group = ''] = written.split(':', 2);
  return { user, group };
}

export const isNumeric = ({ user, group }: WantedUser): boolean =>
  isId(user) && (group === '' || isId(group));

/** The numbers, or why there are none. */
export function resolveUser(
  wanted: WantedUser,
  passwd: string,
  group: string,
): { uid: number; gid: number } | string {
  const account = isId(wanted.user)
    ? undefined
    : parsePasswd(passwd).find(({ name }) => name === wanted.user);
  const uid = isId(wanted.user) ? Number(wanted.user) : account?.uid;
  if (uid === undefined) return `the image has no user "${wanted.user}"`;
  const gid = wanted.group === '' ? (account?.gid ?? uid) : idOf(wanted.group, group);
  return gid === undefined ? `the image has no group "${wanted.group}"` : { uid, gid };
}

const idOf = (name: string, group: string): number | undefined =>
  isId(name) ? Number(name) : parseGroup(group).get(name);
