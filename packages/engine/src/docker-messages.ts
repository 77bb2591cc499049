import type { EngineErrorCode } from './errors.ts';

interface Row {
  readonly code: EngineErrorCode;
  /** Statuses with which the engine sends this text; absent: any. */
  readonly statuses?: readonly number[];
  readonly text: RegExp;
}

/**
 * The only place where a decision hangs on the wording of the engine. The API has one status for each of these groups,
 * and nothing else to tell their members apart.
 */
const rows: readonly Row[] = [
  { code: 'ENGINE_REMOVAL_IN_PROGRESS', text: /removal of container .* is already in progress/i },
  {
    code: 'ENGINE_NAME_IN_USE',
    statuses: [409, 500],
    text: /name .* is already in use|with name .* already exists/i,
  },
  { code: 'ENGINE_IMAGE_MISSING', statuses: [404], text: /no such image/i },
  {
    code: 'ENGINE_ALREADY_ATTACHED',
    statuses: [403, 409, 500],
    text: /is already attached to network|endpoint with name .* already exists/i,
  },
  { code: 'ENGINE_NOT_ATTACHED', text: /is not connected to (the )?network|no such network endpoint/i },
  { code: 'ENGINE_NETWORK_IN_USE', text: /has active endpoints/i },
  {
    code: 'ENGINE_PORT_IN_USE',
    text: /port is already allocated|bind for .* failed|(listen|bind)[^"]*address already in use/i,
  },
  {
    code: 'ENGINE_ADDRESS_IN_USE',
    text: /address already in use|address is in use|no available ipv[46]? ?addresses/i,
  },
  { code: 'ENGINE_NO_SPACE', text: /no space left on device|disk quota exceeded/i },
  { code: 'ENGINE_API_VERSION', statuses: [400], text: /client version [\d.]+ is too (old|new)/i },
];

/** What the wording says beyond the status. */
export function codeOfMessage(status: number, message: string): EngineErrorCode | undefined {
  return rows.find((row) => (row.statuses?.includes(status) ?? true) && row.text.test(message))?.code;
}

/** What a container's state says where it was to share the network of another one, and that one was gone or did not run. */
const ownerMissing =
  /no such container|cannot join network of a non running container|joining network namespace of container/i;

/** Whether a start failed for want of the container whose network was to be shared. */
export const isForWantOfNetworkOwner = (startError: string | undefined): boolean =>
  startError !== undefined && ownerMissing.test(startError);
