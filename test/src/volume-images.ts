/** What tenants with data run: images that declare volumes, in the registry of a lab host. */
import { busybox, ImageForms } from '@berth/lab';

const from = `FROM ${busybox.tag}`;

export const volumeImages = new ImageForms('berth-volumes', {
  /** One volume, owned by root. */
  data: [from, 'VOLUME /data'],
  /** Two volumes of one user, one of them nested. */
  owned: [from, 'RUN mkdir -p /srv/db/wal && chown -R 1500:1600 /srv/db', 'VOLUME /srv/db /srv/db/wal'],
  /** The outer one of these alone. */
  outer: [from, 'RUN mkdir -p /srv/db && chown -R 1500:1600 /srv/db', 'VOLUME /srv/db'],
  /** Writes where the image prepared a folder for its user. */
  scratch: [
    from,
    'RUN mkdir -p /var/lib/app/plugins && echo seeded > /var/lib/app/plugins/one && ln -s /etc/passwd /var/lib/app/link && chown -Rh 1500:1600 /var/lib/app',
    'USER 1500:1600',
  ],
  /** Both. */
  both: [
    from,
    'RUN mkdir -p /var/lib/app /data && echo seeded > /var/lib/app/one && chown -R 1500:1600 /var/lib/app /data',
    'USER 1500:1600',
    'VOLUME /data',
  ],
  /** A volume where scratch lies: not to be had. */
  reserved: [from, 'VOLUME /_wp/data'],
});

export type VolumeImage = Parameters<typeof volumeImages.reference>[0];

export const volumeImage = (form: VolumeImage): string => volumeImages.reference(form);
