import type { ContainerConfig, ContainerCreateRequest, EndpointSettings } from '@docker/node-sdk';
import type { ContainerDetails } from '../containers/index.ts';
import { engineErrors } from '../errors.ts';
import type { ApiVersion } from '../http/index.ts';
import { sharedNetworkOf } from '../references/index.ts';
import { asideName, isOperation, parseAsideName, recreateLabels } from './marks.ts';
import { blankedConfig, blankedHostConfig, hasNoEndpoints, planNetworks } from './network-plan.ts';
import { planVolumes } from './volume-plan.ts';

/** How the new container is to differ from the old one. */
export interface Change {
  /** Names the operation; the same one again continues it. 6 to 32 lower-case letters and digits. */
  readonly operation: string;
  readonly networkMode?: string | undefined;
  /** Added to the old one's labels, or put in their place. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Whether the new one is started. Default: as the old one is, so that what was stopped on purpose stays stopped. */
  readonly start?: 'as-it-was' | 'yes' | 'no' | undefined;
  /** How long the old one may take to stop. Default: its own setting, else the engine's. */
  readonly graceS?: number | undefined;
}

/** Everything that is to be done, decided before anything is. */
export interface RecreatePlan {
  readonly operation: string;
  readonly oldId: string;
  readonly name: string;
  readonly aside: string;
  /** Whether the old one runs, and has to run again if this fails. */
  readonly oldRuns: boolean;
  readonly request: ContainerCreateRequest;
  /**
   * The image that the old one really runs. The request names it as it was named, and the name may mean another image by
   * now; undefined where another image is wanted.
   */
  readonly imageId: string | undefined;
  /** Networks that the engine does not take with the create request. */
  readonly connects: readonly { readonly network: string; readonly endpoint: EndpointSettings }[];
  readonly starts: boolean;
  readonly graceS: number | undefined;
}

/** The same container anew, with all that the engine tells of it, so that nothing is lost that came after us. */
export function planRecreate(old: ContainerDetails, change: Change, api: ApiVersion): RecreatePlan {
  const mode = change.networkMode ?? old.networkMode;
  const networks = planNetworks(old, mode, api);
  const { MacAddress: _, ...config } = old.config;
  const request: ContainerCreateRequest = {
    ...config,
    ...keptConfig(old, mode),
    ...(networks.macAddress === undefined ? {} : { MacAddress: networks.macAddress }),
    HostConfig: {
      ...old.hostConfig,
      ...planVolumes(old),
      Links: (old.hostConfig.Links ?? []).map(linkAsAsked),
      ...(sharedNetworkOf(mode) === undefined ? {} : blankedHostConfig()),
      NetworkMode: networks.networkMode,
    },
    NetworkingConfig: { EndpointsConfig: { ...networks.endpoints } },
  };
  if (isOffline(old, mode))
    throw refusal(old, 'it was disconnected from all of its networks, and would be connected again');
  return { ...planReplacement(old, request, change), imageId: old.imageId, connects: networks.connects };
}

/** Another container in the old one's place. */
export function planReplacement(
  old: ContainerDetails,
  request: ContainerCreateRequest,
  change: Omit<Change, 'networkMode'>,
): RecreatePlan {
  const { operation, labels, start = 'as-it-was', graceS } = change;
  if (!isOperation(operation))
    throw engineErrors.error('ENGINE_BAD_REQUEST', `"${operation}" cannot name an operation`);
  refuseUnfit(old, operation);
  const name = parseAsideName(old.name)?.name ?? old.name;
  const oldRuns = parseAsideName(old.name)?.ran ?? old.state.running;
  return {
    operation,
    oldId: old.id,
    name,
    aside: asideName({ name, operation, ran: oldRuns }),
    oldRuns,
    request: {
      ...request,
      Labels: {
        ...request.Labels,
        ...labels,
        [recreateLabels.operation]: operation,
        [recreateLabels.replaces]: old.id,
      },
    },
    imageId: undefined,
    connects: [],
    starts: start === 'as-it-was' ? oldRuns : start === 'yes',
    graceS: graceS ?? old.config.StopTimeout ?? undefined,
  };
}

const refusal = (old: ContainerDetails, why: string) =>
  engineErrors.error('ENGINE_RECREATE_REFUSED', `container ${old.name} is not re-created: ${why}`, {
    details: { id: old.id },
  });

/** What could not be put back if it went wrong, or is somebody else's to deal with. */
function refuseUnfit(old: ContainerDetails, operation: string): void {
  const { status } = old.state;
  const aside = parseAsideName(old.name);
  if (aside !== undefined && aside.operation !== operation)
    throw refusal(old, `the operation ${aside.operation} has set it aside`);
  if (old.hostConfig.AutoRemove === true)
    throw refusal(old, 'it removes itself when it stops, so there would be no way back');
  if (status === 'paused') throw refusal(old, 'it is paused, and would lose what it was frozen for');
  if (status === 'removing' || status === 'dead' || status === 'unknown')
    throw refusal(old, `its state is "${status}"`);
  if (old.labels['com.docker.swarm.task.id'] !== undefined)
    throw refusal(old, 'it belongs to a Swarm service, which replaces it itself');
}

/** Whether somebody took the container off its networks and it would get back onto one. */
const isOffline = (old: ContainerDetails, mode: string): boolean =>
  mode === old.networkMode &&
  !hasNoEndpoints(mode) &&
  old.config.NetworkDisabled !== true &&
  Object.keys(old.attachments).length === 0;

/** What of the inspected configuration may not go back as it came. */
function keptConfig(old: ContainerDetails, mode: string): ContainerConfig {
  const shares = sharedNetworkOf(mode) !== undefined;
  const shared = sharedNetworkOf(old.networkMode) !== undefined;
  // The engine fills in what is not its own to keep: its short id, the network owner's host name, the host's.
  const isGiven = shared || old.hostConfig.UTSMode === 'host' || old.config.Hostname === old.id.slice(0, 12);
  const entrypoint = old.config.Entrypoint ?? [];
  return {
    ...(isGiven ? { Hostname: '' } : {}),
    ...(shared ? { Domainname: '' } : {}),
    // Without one the image's would come back: an entry point that was taken away on purpose is told like this.
    ...(entrypoint.length === 0 && (old.config.Cmd ?? []).length > 0 ? { Entrypoint: [''] } : {}),
    Labels: withoutMarks(old.labels),
    ...(shares ? blankedConfig() : {}),
  };
}

function withoutMarks(labels: Readonly<Record<string, string>>): Record<string, string> {
  const marks: readonly string[] = Object.values(recreateLabels);
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !marks.includes(key)));
}

/** The engine tells "/other:/own name/alias" of what was asked for as "other:alias". */
function linkAsAsked(link: string): string {
  const [target = '', alias = ''] = link.split(':');
  return `${target.replace(/^\//, '')}:${alias.slice(alias.lastIndexOf('/') + 1)}`;
}
