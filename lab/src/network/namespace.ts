/** Network namespaces with a name, and what is done inside them. Nothing here ever touches the machine's own. */
import { readdirSync } from 'node:fs';
import { labErrors } from '../errors.ts';
import { commandLine, kill, namespaceId, processesIn } from '../tools/proc.ts';
import { type Argv, must, run } from '../tools/run.ts';
import { waitFor } from '../tools/wait.ts';

const folder = '/run/netns';
export const namespacePathOf = (name: string): string => `${folder}/${name}`;

export function namespaceNames(): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // The folder comes with the first named namespace of the machine.
    return [];
  }
}

export async function addNamespace(name: string): Promise<void> {
  await must(['ip', 'netns', 'add', name]);
  await ipBatch(name, ['link set lo up']);
}

/** Ends what runs in the namespace, takes its name away and with it all of its interfaces. */
export async function removeNamespace(name: string): Promise<void> {
  const id = namespaceId(namespacePathOf(name));
  if (id !== undefined) await endProcesses(name, id);
  // A name without a namespace (a run killed between the two) is only a file; the same command removes it.
  const { code, stderr } = await run(['ip', 'netns', 'delete', name]);
  if (code !== 0 && namespaceNames().includes(name))
    throw labErrors.error('NOT_GONE', `the namespace ${name} stays: ${stderr.trim()}`);
}

async function endProcesses(name: string, id: string): Promise<void> {
  if (id === namespaceId('/proc/self/ns/net'))
    throw labErrors.error('NOT_GONE', `${name} is the machine's own namespace; nothing in it is ended`);
  await waitFor(
    `the processes in ${name} are gone`,
    () => {
      const left = processesIn(id);
      for (const pid of left) kill(pid);
      return left.length === 0;
    },
    { timeoutMs: 60_000, evidence: () => processesIn(id).map(describe).join('\n') },
  );
}

const describe = (pid: number): string => `${pid}: ${commandLine(pid)}`;

/** Several commands of `ip` in one process. */
export async function ipBatch(namespace: string, commands: readonly string[]): Promise<void> {
  await must(['ip', '-n', namespace, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

export const inNamespace = (namespace: string, argv: Argv): Argv => [
  'nsenter',
  `--net=${namespacePathOf(namespace)}`,
  '--',
  ...argv,
];

/** Writes one value to several kernel settings of the namespace (paths below /proc/sys/net). */
export async function setKernelSettings(
  namespace: string,
  value: string,
  ...settings: readonly string[]
): Promise<void> {
  const files = settings.map((setting) => `/proc/sys/net/${setting}`);
  await must(inNamespace(namespace, ['tee', ...files]), { input: value });
}

/** A cable between two namespaces; it never passes through the machine's own. */
export async function addCable(
  a: { readonly namespace: string; readonly link: string },
  b: { readonly namespace: string; readonly link: string },
): Promise<void> {
  await must([
    ...(['ip', 'link', 'add', a.link, 'netns', a.namespace, 'type', 'veth'] as const),
    ...(['peer', 'name', b.link, 'netns', b.namespace] as const),
  ]);
}

export async function removeLink(namespace: string, link: string): Promise<void> {
  const { code, stderr } = await run(['ip', '-n', namespace, 'link', 'delete', link]);
  if (code !== 0 && !stderr.includes('Cannot find device'))
    throw labErrors.error('TOOL_FAILED', `${link} in ${namespace} stays: ${stderr.trim()}`);
}
