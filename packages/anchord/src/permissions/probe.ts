/**
 * Finds out what we may ask of Docker, without doing anything: the requests that would change something name a container
 * and a network that do not exist, so whoever allows them answers that there is none.
 */
import { type Engine, engineErrors } from '@berth/engine';
import type { PermissionName } from './table.ts';

export type Permitted = 'granted' | 'denied' | { readonly unknown: unknown };

const nobody = 'anchord-asks-whether-it-may';

/** Answers as a container or a network that is not there does, or as a request that is not complete. */
const meansGranted = ['ENGINE_NOT_FOUND', 'ENGINE_BAD_REQUEST', 'ENGINE_CONFLICT', 'ENGINE_IMAGE_MISSING'];

type Call = { readonly signal: AbortSignal };

const requests: Readonly<
  Record<PermissionName, (engine: Engine, call: Call, now: number) => Promise<unknown>>
> = {
  list: ({ containers }, call) => containers.list({ filters: { name: [nobody] } }, call),
  inspect: ({ containers }, call) => containers.inspect(nobody, call),
  events: ({ events }, call, now) => events.past({ since: now - 1_000, until: now }, call),
  info: ({ system }, call) => system.info(call),
  networks: ({ networks }, call) => networks.list({ name: [nobody] }, call),
  network: ({ networks }, call) => networks.inspect(nobody, call),
  create: ({ containers }, call) => containers.create({ Image: '' }, call),
  start: ({ containers }, call) => containers.start(nobody, call),
  stop: ({ containers }, call) => containers.stop(nobody, call),
  restart: ({ containers }, call) => containers.restart(nobody, call),
  rename: ({ containers }, call) => containers.rename(nobody, `${nobody}-too`, call),
  remove: ({ containers }, call) => containers.remove(nobody, call),
  connect: ({ networks }, call) => networks.connect(nobody, nobody, {}, call),
  disconnect: ({ networks }, call) => networks.disconnect(nobody, nobody, call),
};

/** `now`: milliseconds since the epoch. */
export async function probePermission(
  engine: Engine,
  permission: PermissionName,
  { signal, now }: { readonly signal: AbortSignal; readonly now: number },
): Promise<Permitted> {
  try {
    await requests[permission](engine, { signal }, now);
    return 'granted';
  } catch (error) {
    if (isRefusal(error)) return 'denied';
    return engineErrors.is(error) && meansGranted.includes(error.code) ? 'granted' : { unknown: error };
  }
}

/** What proxies answer to what they do not let through; a socket that we may not even open has no status. */
export const isRefusalStatus = (status: unknown): boolean => status === 403 || status === 405;

const isRefusal = (error: unknown): boolean =>
  engineErrors.is(error) && isRefusalStatus(error.details['status']);
