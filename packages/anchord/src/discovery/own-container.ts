/**
 * Which container are we? The host name only says so until somebody sets `hostname:`, so the kernel is asked first: our
 * cgroup, then the files that Docker mounted into us, both of which carry the container's id in their paths.
 */

export interface OwnTraces {
  /** `/proc/self/cgroup` */
  readonly cgroup: string;
  /** `/proc/self/mountinfo` */
  readonly mountinfo: string;
  readonly hostname: string;
}

const containerId = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;

/**
 * What to try in an inspection of ourselves, most certain first, each once. Beside `container:` mode the mounted host
 * name file belongs to the container that we joined, so the cgroup comes first.
 */
export function ownContainerReferences({ cgroup, mountinfo, hostname }: OwnTraces): readonly string[] {
  const references = [...idsOf(cgroup), ...mountinfo.split('\n').flatMap(mountedFrom), hostname.trim()];
  return [...new Set(references)].filter((reference) => reference !== '');
}

/** The fourth field of a mount is the path inside its file system: `/var/lib/docker/containers/<id>/hostname`. */
function mountedFrom(line: string): readonly string[] {
  const [, , , root = '', at = ''] = line.split(' ');
  return /^\/etc\/(hostname|hosts|resolv\.conf)$/.test(at) && root.includes('/containers/')
    ? idsOf(root)
    : [];
}

/** The last id of a path is the innermost container. */
const idsOf = (text: string): readonly string[] =>
  text.split('\n').flatMap((line) => line.match(containerId)?.at(-1) ?? []);
