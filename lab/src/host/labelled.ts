import type { Host } from './host.ts';

const kinds = [
  { list: ['ps', '--all'], remove: ['rm', '--force', '--volumes'] },
  { list: ['network', 'ls'], remove: ['network', 'rm'] },
  { list: ['volume', 'ls'], remove: ['volume', 'rm', '--force'] },
] as const;

/** Removes what bears one of these labels (`key=value`): containers first, which hold the networks and volumes. */
export async function removeLabelled(host: Host, ...labels: readonly string[]): Promise<void> {
  for (const { list, remove } of kinds)
    for (const label of labels) {
      const listed = await host.docker(...list, '--quiet', '--filter', `label=${label}`);
      const ids = listed.split('\n').filter(Boolean);
      if (ids.length > 0) await host.docker(...remove, ...ids);
    }
}
