/** What tenants with data run: images that declare volumes, in the registry of a lab host. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, busybox, registryAddress } from '@berth/lab';
import type { Provider } from '@berth/lab/provider';

const forms = {
  /** One volume, owned by root. */
  data: ['VOLUME /data'],
  /** Two volumes of one user, one of them nested. */
  owned: ['RUN mkdir -p /srv/db/wal && chown -R 1500:1600 /srv/db', 'VOLUME /srv/db /srv/db/wal'],
  /** The outer one of these alone. */
  outer: ['RUN mkdir -p /srv/db && chown -R 1500:1600 /srv/db', 'VOLUME /srv/db'],
  /** Writes where the image prepared a folder for its user. */
  scratch: [
    'RUN mkdir -p /var/lib/app/plugins && echo seeded > /var/lib/app/plugins/one && ln -s /etc/passwd /var/lib/app/link && chown -Rh 1500:1600 /var/lib/app',
    'USER 1500:1600',
  ],
  /** Both. */
  both: [
    'RUN mkdir -p /var/lib/app /data && echo seeded > /var/lib/app/one && chown -R 1500:1600 /var/lib/app /data',
    'USER 1500:1600',
    'VOLUME /data',
  ],
  /** A volume where scratch lies: not to be had. */
  reserved: ['VOLUME /_wp/data'],
} as const;

export type VolumeImage = keyof typeof forms;

export const volumeImage = (form: VolumeImage): string => `${registryAddress}/berth-volumes/${form}:1`;

export async function pushVolumeImages({ host, registry }: Provider): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-volume-images-'));
  const stages = Object.entries(forms).map(([form, steps]) =>
    [`FROM ${busybox.tag} AS ${form}`, ...steps].join('\n'),
  );
  try {
    await writeFile(join(folder, 'Dockerfile'), `${stages.join('\n')}\n`);
    for (const form of Object.keys(forms)) {
      const tag = `berth-volumes/${form}:building`;
      await buildImage(host, folder, { tag, target: form });
      await registry.push(tag, `berth-volumes/${form}`, '1');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
