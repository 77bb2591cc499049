/** What the tenants of the tests run: one small image in several forms, in the registry of the lab's host. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, busybox, type Host, registryAddress, startRegistry } from '@berth/lab';

/** Name of the form → what makes it of the plain one. */
const forms = {
  plain: [],
  named: ['USER web:staff'],
  owned: ['RUN mkdir -p /srv/data /srv/more && chown -R 1500:1600 /srv', 'VOLUME /srv/data /srv/more'],
  mixed: [
    'RUN mkdir -p /srv/data /srv/more && chown 1500:1600 /srv/data && chown 1700:1600 /srv/more',
    'VOLUME /srv/data /srv/more',
  ],
  stranger: ['USER nobody-knows'],
  linked: [
    'RUN mkdir /accounts && mv /etc/passwd /accounts/ && ln -s /accounts/passwd /etc/passwd',
    'USER web',
  ],
} as const;

export type ImageForm = keyof typeof forms;

export const imageOf = (form: ImageForm, tag = '1'): string =>
  `${registryAddress}/berth-tenant/${form}:${tag}`;

const dockerfile = [
  `FROM ${busybox.tag} AS plain`,
  'RUN echo "web:x:1234:1235::/:/bin/sh" >> /etc/passwd && echo "staff:x:1300:" >> /etc/group && mkdir -p /srv/www && echo one > /srv/www/index.html',
  ...Object.entries(forms).flatMap(([form, steps]) =>
    form === 'plain' ? [] : [`FROM plain AS ${form}`, ...steps],
  ),
  '',
].join('\n');

const ready = new WeakMap<Host, Promise<void>>();

/** Builds them all once, and puts them where they are pulled from. */
export function ensureTenantImages(host: Host): Promise<void> {
  const known = ready.get(host);
  if (known !== undefined) return known;
  const making = make(host);
  ready.set(host, making);
  return making;
}

/** What the images of an earlier run on the same host must have been made of, to be taken as they are. */
const version = createHash('sha256').update(dockerfile).digest('hex').slice(0, 12);

async function make(host: Host): Promise<void> {
  const registry = await startRegistry(host);
  const folder = await mkdtemp(join(tmpdir(), 'berth-tenant-'));
  try {
    await writeFile(join(folder, 'Dockerfile'), dockerfile);
    for (const form of Object.keys(forms)) {
      const tag = `berth-tenant/${form}:${version}`;
      if ((await host.docker('image', 'ls', '--quiet', tag)) !== '') continue;
      const building = `${tag}-building`;
      await buildImage(host, folder, { tag: building, target: form });
      await registry.push(building, `berth-tenant/${form}`, '1');
      await host.docker('tag', building, tag);
      await host.docker('image', 'rm', building);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
