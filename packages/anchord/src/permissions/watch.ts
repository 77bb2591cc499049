/** Notices when Docker, or the proxy before it, refuses something, and says what that is needed for. */
import type { Answered } from '@berth/engine';
import type { Log } from '@berth/service/log';
import { processMessages } from '../messages/index.ts';
import type { Problems } from '../problems.ts';
import { problemTable } from '../problems.ts';
import { isRefusalStatus } from './probe.ts';
import { featureRow, neededBy, type PermissionName, permissionNames, permissions } from './table.ts';

/** Hand it to the client of the engine. A refusal of what nobody needs is passed over. */
export function watchPermissions({
  problems,
  log,
}: {
  readonly problems: Problems;
  readonly log: Log;
}): (answered: Answered) => void {
  return ({ method, path, status }) => {
    const name = permissionOf(method, path);
    if (name === undefined || neededBy(name).length === 0) return;
    if (!isRefusalStatus(status)) {
      // Mostly it was never refused, and then there is nothing to clear.
      if (problems.of('docker-permission').some(({ subject }) => subject === name)) {
        problems.clear('docker-permission', name);
      }
      return;
    }
    if (!problems.set('docker-permission', name, permissionDetail(name))) return;
    const { request, switches } = permissions[name];
    log.say(processMessages.permissionMissing, {
      request,
      switches,
      needed_for: neededBy(name),
      remedy: problemTable['docker-permission'].remedy,
    });
  };
}

/** What may not be done, by which request, what allows it, and what needs it. */
export function permissionDetail(name: PermissionName): string {
  const { what, request, switches } = permissions[name];
  const on = switches.map((one) => `${one}=1`).join(' ');
  const needed = neededBy(name).map((feature) => featureRow(feature).title);
  return `may not ${what} (${request}; ${on}), needed for ${needed.join('; ')}`;
}

const patterns = permissionNames.map((name) => {
  const [method = '', path = ''] = permissions[name].request.split(' ');
  const parts = path.split('/').map((part) => (part === '*' ? '[^/]+' : part));
  return { name, method, path: new RegExp(`^${parts.join('/')}$`) };
});

export const permissionOf = (method: string, path: string): PermissionName | undefined =>
  patterns.find((one) => one.method === method && one.path.test(path))?.name;
