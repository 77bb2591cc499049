/** `anchord doctor stale-netns`: who sits in the network of a container that is gone. Its words are what scripts read. */
import { type ContainerSummary, connectEngine } from '@berth/engine';
import { Scope, systemClock } from '@berth/service';
import type { CommandLineHost } from '../cli/command.ts';
import { deadNamespaces, shownName } from '../lifecycle/dead-namespaces.ts';

/** Throws what Docker has to say; whatever is found, the exit code is 0. */
export async function staleNetns({ env, out }: CommandLineHost): Promise<number> {
  const scope = new Scope('doctor', () => undefined);
  try {
    const engine = connectEngine(scope, { env, clock: systemClock });
    out(staleReport(await engine.containers.list({ all: true }, { signal: scope.signal })));
    return 0;
  } finally {
    await scope.close();
  }
}

type Member = Pick<ContainerSummary, 'id' | 'names' | 'labels' | 'networkMode'>;

/** Ids are cut to twelve digits here; the log has them whole. */
export function staleReport(all: readonly Member[]): string {
  const victims = deadNamespaces(all, all).map(({ container, reference, recovery }) => {
    return { name: shownName(container), reference, recovery };
  });
  if (victims.length === 0) return 'No dead-netns dependents found.\n';
  const groups = [...Map.groupBy(victims, ({ reference }) => reference)].sort(([a], [b]) => compare(a, b));
  const blocks = groups.map(([reference, members]) => {
    const lines = members
      .toSorted((a, b) => compare(a.name, b.name))
      .flatMap(({ name, recovery }) => [
        `    ${name}`,
        ...(recovery === undefined ? [] : [`      → ${recovery}`]),
      ]);
    return `  dead target: ${shortened(reference)}  (${members.length} victim(s))\n${lines.join('\n')}\n\n`;
  });
  return `Found ${victims.length} dependent(s) in dead netns across ${groups.length} target(s):\n\n${blocks.join('')}`;
}

const shortened = (reference: string): string =>
  /^[0-9a-f]{13,64}$/.test(reference) ? reference.slice(0, 12) : reference;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
