import { waitFor } from '../tools/wait.ts';
import type { Host } from './host.ts';

const kinds = [
  { list: ['ps', '--all'], remove: ['rm', '--force', '--volumes'] },
  { list: ['network', 'ls'], remove: ['network', 'rm'] },
  { list: ['volume', 'ls'], remove: ['volume', 'rm', '--force'] },
] as const;

/**
 * Removes what bears one of these labels (`key=value`): containers first, which hold the networks and volumes. Until there is
 * none: what is under test may be removing, renaming or replacing the same things at that moment, and the engine refuses then.
 */
export async function removeLabelled(host: Host, ...labels: readonly string[]): Promise<void> {
  let refusals: readonly string[] = [];
  await waitFor(
    `the end of what bears ${labels.join(' or ')}`,
    async () => {
      refusals = await tryToRemove(host, labels);
      return refusals.length === 0;
    },
    { timeoutMs: 60_000, everyMs: 200, evidence: () => refusals.join('\n') },
  );
}

async function tryToRemove(host: Host, labels: readonly string[]): Promise<readonly string[]> {
  const refusals: string[] = [];
  for (const { list, remove } of kinds)
    for (const label of labels) {
      const listed = await host.docker(...list, '--quiet', '--filter', `label=${label}`);
      const ids = listed.split('\n').filter(Boolean);
      if (ids.length === 0) continue;
      const { code, stderr } = await host.exec(['docker', ...remove, ...ids]);
      if (code !== 0) refusals.push(stderr.trim());
    }
  return refusals;
}
