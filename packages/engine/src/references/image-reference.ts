import { engineErrors } from '../errors.ts';

/** Where an image comes from, complete: what the short form leaves out is filled in. */
export interface ImageReference {
  /** With its port, if it has one: "docker.io", "localhost:5000". */
  readonly registry: string;
  /** "library/nginx" */
  readonly path: string;
  readonly tag: string | undefined;
  /** "sha256:..." */
  readonly digest: string | undefined;
}

export const DOCKER_HUB = 'docker.io';
/** The Hub's other name, from before there were other registries. */
const DOCKER_HUB_OF_OLD = 'index.docker.io';
/** Where the Hub keeps images that have no owner in their names. */
const OFFICIAL = 'library/';
const LONGEST_PATH = 255;

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const registryPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const pathPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
/** The algorithms that there are, with the length of their digests. */
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
/** This would be taken for an image's id. */
const idPattern = /^[a-f0-9]{64}$/;

/** Reads a reference as the engine does: [REGISTRY/]PATH[:TAG][@DIGEST]. */
export function parseImageReference(text: string): ImageReference {
  const refuse = (why: string): never => {
    throw engineErrors.error('ENGINE_REFERENCE_INVALID', `image reference "${text}": ${why}`);
  };
  if (idPattern.test(text)) return refuse('64 hexadecimal digits are an id and no name');
  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  // A colon before the last slash belongs to the registry's port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const name = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const { registry, path } = splitRegistry(name);

  if (!registryPattern.test(registry)) return refuse(`"${registry}" is no host name`);
  if (path === '') return refuse('it names no image');
  if (path !== path.toLowerCase()) return refuse('the path has to be in lower case');
  if (!pathPattern.test(path)) return refuse(`"${path}" is no path of an image`);
  if (path.length > LONGEST_PATH) return refuse(`the path is longer than ${LONGEST_PATH} characters`);
  if (tag !== undefined && !tagPattern.test(tag)) return refuse(`"${tag}" is no tag`);
  if (digest !== undefined && !isDigest(digest)) return refuse(`"${digest}" is no digest`);
  return { registry, path, tag, digest };
}

const looksLikeHost = (text: string): boolean => /[.:A-Z]/.test(text) || text === 'localhost';

/** The first part of a name is a registry if it looks like a host; otherwise all of it is a path on Docker Hub. */
function splitRegistry(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const onHost = looksLikeHost(first);
  const registry = onHost && first !== DOCKER_HUB_OF_OLD ? first : DOCKER_HUB;
  const path = onHost ? name.slice(slash + 1) : name;
  if (registry !== DOCKER_HUB || path === '' || path.includes('/')) return { registry, path };
  return { registry, path: OFFICIAL + path };
}

function isDigest(text: string): boolean {
  const [, algorithm = '', hex = ''] = /^([a-z0-9]+):([a-f0-9]+)$/.exec(text) ?? [];
  return Object.hasOwn(digestLengths, algorithm) && digestLengths[algorithm] === hex.length;
}

/** Complete: "docker.io/library/nginx:1". */
export function formatImageReference({ registry, path, tag, digest }: ImageReference): string {
  return `${registry}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** As short as it can be written without meaning something else: "nginx:1". */
export function familiarImageReference(reference: ImageReference): string {
  const complete = formatImageReference(reference);
  if (reference.registry !== DOCKER_HUB) return complete;
  const onHub = complete.slice(DOCKER_HUB.length + 1);
  const { path } = reference;
  if (!path.startsWith(OFFICIAL) || path.indexOf('/', OFFICIAL.length) >= 0)
    return looksLikeHost(path.slice(0, path.indexOf('/'))) ? complete : onHub;
  const bare = onHub.slice(OFFICIAL.length);
  return idPattern.test(bare) ? onHub : bare;
}
