import type { ContainerCreateRequest } from '@docker/node-sdk';
import type { ContainerDetails } from '../containers/index.ts';
import { engineErrors } from '../errors.ts';
import type { System } from '../system/index.ts';
import { find, type RecreateDoor } from './door.ts';
import { execute, type Recreated, type RecreateOptions } from './execute.ts';
import { recreateLabels } from './marks.ts';
import { type Change, planRecreate, planReplacement, type RecreatePlan } from './plan.ts';

/** The id or the name of a container, as when the operation began. */
interface Which {
  readonly container: string;
}

/**
 * Makes the same container anew. The old one is set aside, and removed when the new one is up; until then every failure
 * puts it back. The same operation asked for again goes on where it stands, or tells what it has done.
 */
export async function recreateContainer(
  door: RecreateDoor & { readonly system: Pick<System, 'spokenVersion'> },
  change: Change & Which,
  options: RecreateOptions = {},
): Promise<Recreated> {
  const api = await door.system.spokenVersion();
  return operate(door, change, options, (old) => planRecreate(old, change, api));
}

/** Puts a container of another making into a container's place, with the same guarantees. */
export function replaceContainer(
  door: RecreateDoor,
  request: ContainerCreateRequest,
  change: Omit<Change, 'networkMode'> & Which,
  options: RecreateOptions = {},
): Promise<Recreated> {
  return operate(door, change, options, (old) => planReplacement(old, request, change));
}

async function operate(
  door: RecreateDoor,
  { container, operation }: { readonly container: string; readonly operation: string },
  options: RecreateOptions,
  plan: (old: ContainerDetails) => RecreatePlan,
): Promise<Recreated> {
  const [made] = await door.containers.list({
    all: true,
    filters: { label: [`${recreateLabels.operation}=${operation}`] },
  });
  const old = await find(door, made?.labels[recreateLabels.replaces] ?? container.replace(/^\//, ''));
  if (old !== undefined) return execute(door, plan(old), options);
  if (made === undefined)
    throw engineErrors.error('ENGINE_NOT_FOUND', `container ${container} is not re-created: there is none`);
  return {
    id: made.id,
    oldId: made.labels[recreateLabels.replaces] ?? '',
    name: made.names[0] ?? '',
    leftover: undefined,
  };
}
