/** As much of a container as a reference to it can mean. */
export interface Referable {
  readonly id: string;
  /** Without leading slashes. */
  readonly names: readonly string[];
}

export type Resolved<Container> =
  | { readonly kind: 'found'; readonly container: Container }
  | { readonly kind: 'missing' }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly Container[] };

/** The length in which the engine shows ids. Shorter beginnings are not taken for one: they are names, or mistakes. */
const SHORT_ID = 12;

/** What a container's network mode shares the network of: the reference in "container:<ref>". */
export function sharedNetworkOf(networkMode: string): string | undefined {
  const match = /^container:\s*\/?(.*?)\s*$/.exec(networkMode);
  return match?.[1] === undefined || match[1] === '' ? undefined : match[1];
}

const bare = (ref: string): string => ref.trim().replace(/^\//, '');

const isShortIdOf = (ref: string, id: string): boolean => ref.length >= SHORT_ID && id.startsWith(ref);

/** Whether `ref` (a full id, the first 12 or more characters of one, or a name) means this container. */
export function denotes(ref: string, container: Referable): boolean {
  const wanted = bare(ref);
  return (
    wanted !== '' &&
    (container.id === wanted || container.names.includes(wanted) || isShortIdOf(wanted, container.id))
  );
}

/** The container that the engine would take for `ref`: a full id goes before a name, a name before a short id. */
export function resolveContainer<Container extends Referable>(
  ref: string,
  containers: Iterable<Container>,
): Resolved<Container> {
  const wanted = bare(ref);
  if (wanted === '') return { kind: 'missing' };
  let named: Container | undefined;
  const candidates: Container[] = [];
  for (const container of containers) {
    if (container.id === wanted) return { kind: 'found', container };
    if (container.names.includes(wanted)) named = container;
    if (isShortIdOf(wanted, container.id)) candidates.push(container);
  }
  if (named !== undefined) return { kind: 'found', container: named };
  const [first, second] = candidates;
  if (first === undefined) return { kind: 'missing' };
  return second === undefined ? { kind: 'found', container: first } : { kind: 'ambiguous', candidates };
}
