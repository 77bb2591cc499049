/** What the tenants of the tests run: one small image in several forms, in the registry of the lab's host. */
import { busybox, ImageForms } from '@berth/lab';

export const tenantImages = new ImageForms('berth-tenant', {
  plain: [
    `FROM ${busybox.tag}`,
    'RUN echo "web:x:1234:1235::/:/bin/sh" >> /etc/passwd && echo "staff:x:1300:" >> /etc/group && mkdir -p /srv/www && echo one > /srv/www/index.html',
  ],
  named: ['FROM plain', 'USER web:staff'],
  owned: [
    'FROM plain',
    'RUN mkdir -p /srv/data /srv/more && chown -R 1500:1600 /srv',
    'VOLUME /srv/data /srv/more',
  ],
  mixed: [
    'FROM plain',
    'RUN mkdir -p /srv/data /srv/more && chown 1500:1600 /srv/data && chown 1700:1600 /srv/more',
    'VOLUME /srv/data /srv/more',
  ],
  stranger: ['FROM plain', 'USER nobody-knows'],
  linked: [
    'FROM plain',
    'RUN mkdir /accounts && mv /etc/passwd /accounts/ && ln -s /accounts/passwd /etc/passwd',
    'USER web',
  ],
});

export type ImageForm = Parameters<typeof tenantImages.reference>[0];

export const imageOf = (form: ImageForm, tag?: string): string => tenantImages.reference(form, tag);
