import { CodedError, ErrorTable } from '@berth/service';

/** Every way in which talking to Docker can go wrong. */
export const engineErrors = new ErrorTable({
  ENGINE_CONFIGURATION: {
    title: 'The address of the Docker engine makes no sense',
    remedy: 'Correct DOCKER_HOST, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY or DOCKER_API_VERSION.',
  },
  ENGINE_UNREACHABLE: {
    title: 'No connection to the Docker engine',
    remedy: 'Check that the engine runs and that DOCKER_HOST or the socket mount leads to it.',
  },
  ENGINE_CONNECTION_LOST: {
    title: 'The connection broke before the answer came; what was asked may have happened',
    remedy: 'Look at what there is before asking again.',
  },
  ENGINE_TRUNCATED: {
    title: 'The answer broke off in the middle; what was asked may have happened',
    remedy: 'Look at what there is before asking again.',
  },
  ENGINE_TIMEOUT: {
    title: 'No complete answer within the time limit; what was asked may have happened',
    remedy: 'Check the load of the engine and look at what there is before asking again.',
  },
  ENGINE_ABORTED: {
    title: 'The call was called off; what was asked may have happened',
    remedy: 'Nothing: the caller wanted it so.',
  },
  ENGINE_TLS: {
    title: 'The TLS connection to the Docker engine was refused by one side',
    remedy: 'Check the certificates in DOCKER_CERT_PATH, their dates and the host name in DOCKER_HOST.',
  },
  ENGINE_API_VERSION: {
    title: 'The engine speaks no API version that we speak',
    remedy: 'Use Docker Engine 20.10 or newer, or correct DOCKER_API_VERSION.',
  },
  ENGINE_PERMISSION_DENIED: {
    title: 'The engine, its socket or a proxy before it does not allow this',
    remedy: 'Give the process access to the socket, or allow this endpoint in the socket proxy.',
  },
  ENGINE_UNAUTHORIZED: {
    title: 'The registry or the engine wants other credentials',
    remedy: 'Correct the credentials.',
  },
  ENGINE_NOT_FOUND: { title: 'There is no such object', remedy: 'Check the name or the id.' },
  ENGINE_IMAGE_MISSING: {
    title: 'The image is not on this host',
    remedy: 'Pull or load the image first; creating a container never pulls.',
  },
  ENGINE_CONFLICT: {
    title: "The object's state does not allow this",
    remedy: 'Look at the state of the object that the message names.',
  },
  ENGINE_NAME_IN_USE: {
    title: 'Another object has this name',
    remedy: 'Remove or rename the other object, or take another name.',
  },
  ENGINE_REMOVAL_IN_PROGRESS: {
    title: 'Somebody is removing the object already',
    remedy: 'Wait until it is gone.',
  },
  ENGINE_PORT_IN_USE: {
    title: 'A published port is taken',
    remedy: 'Free the port on the host or publish another one.',
  },
  ENGINE_ADDRESS_IN_USE: {
    title: 'The network has this address, or none at all, no longer to give',
    remedy: 'Free the address, or enlarge the subnet of the network.',
  },
  ENGINE_ALREADY_ATTACHED: {
    title: 'The container is attached to this network already',
    remedy: 'Disconnect it first if it should be attached in another way.',
  },
  ENGINE_NOT_ATTACHED: {
    title: 'The container is not attached to this network',
    remedy: 'Nothing, if it should not be attached.',
  },
  ENGINE_NETWORK_IN_USE: {
    title: 'Containers are still attached to the network',
    remedy: 'Disconnect them first.',
  },
  ENGINE_NO_SPACE: {
    title: "A file system of the engine's host is full",
    remedy: "Free space below the engine's data root.",
  },
  ENGINE_BAD_REQUEST: {
    title: 'The engine does not accept what it was asked',
    remedy: 'Correct the values that the message names.',
  },
  ENGINE_SERVER_ERROR: {
    title: 'The engine failed; what was asked may have happened all the same',
    remedy: "Look into the engine's own log.",
  },
  ENGINE_UNAVAILABLE: {
    title: 'The engine, or a proxy before it, is not ready',
    remedy: 'Try again when the engine has started.',
  },
  ENGINE_ANSWER: {
    title: 'The engine answered something that cannot be read',
    remedy: 'Check what stands at DOCKER_HOST, and report the engine version if it is Docker.',
  },
  ENGINE_PULL_FAILED: {
    title: 'The image could not be pulled',
    remedy: 'Check the image reference, the registry and the credentials.',
  },
  ENGINE_REFERENCE_INVALID: {
    title: 'This is not an image reference',
    remedy: 'Write [REGISTRY[:PORT]/]PATH[:TAG][@DIGEST], the path in lower case.',
  },
  ENGINE_RECREATE_REFUSED: {
    title: 'The container is in a state, or of a kind, that cannot be re-created safely; nothing was changed',
    remedy: 'Re-create it by hand, or bring it into the state that the message asks for.',
  },
  ENGINE_RECREATE_FAILED: {
    title: 'The container could not be re-created; the old one is back as it was',
    remedy: 'Remove the reason that the message names; the next attempt starts from the beginning.',
  },
  ENGINE_RECREATE_STUCK: {
    title: 'The container could not be re-created, and the old one could not be put back completely',
    remedy: 'Recovery tries again by itself; the message names the containers that are left over.',
  },
});

export type EngineErrorCode = keyof typeof engineErrors.rows;
export type EngineError = CodedError<EngineErrorCode>;

const outcomeUnknown: ReadonlySet<string> = new Set<EngineErrorCode>([
  'ENGINE_CONNECTION_LOST',
  'ENGINE_TRUNCATED',
  'ENGINE_TIMEOUT',
  'ENGINE_ABORTED',
  'ENGINE_SERVER_ERROR',
  'ENGINE_UNAVAILABLE',
  'ENGINE_ANSWER',
]);

/** Whether the engine may have done what it was asked although the call failed. */
export function mayHaveHappened(error: unknown): boolean {
  return !(error instanceof CodedError) || outcomeUnknown.has(error.code);
}
