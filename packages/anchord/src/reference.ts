/** What this package says in docs/reference. */
import type { PackageReference } from '@berth/service/reference';
import { commands } from './cli/commands.ts';
import { manualPage } from './cli/manual.ts';
import { commandsPage } from './cli/page.ts';
import { externalRebinderSchema } from './config/external-rebinder.ts';
import { managedServiceAnchorSchema, networkAnchorSchema } from './config/network-anchor.ts';
import { serviceAnchorSchema } from './config/service-anchor.ts';
import { wrapRebinderSchema } from './config/wrap-rebinder.ts';
import { checksPage } from './doctor/page.ts';
import { anchordErrors } from './errors.ts';
import { labelsPage } from './labels-page.ts';
import * as messages from './messages/index.ts';
import { anchordMetrics } from './metrics.ts';
import { permissionsPage } from './permissions/page.ts';

export const reference: PackageReference = {
  pages: {
    'anchord-commands.md': commandsPage(commands),
    'anchord.1': manualPage(commands),
    'anchord-labels.md': labelsPage(),
    'anchord-permissions.md': permissionsPage(),
    'anchord-checks.md': checksPage(),
  },
  errors: [{ title: 'anchord', table: anchordErrors.rows }],
  messages: [
    { title: 'anchord: every mode', table: messages.processMessages },
    { title: 'anchord: external interface', table: messages.externalMessages },
    { title: 'anchord: external default route', table: messages.routeMessages },
    { title: 'anchord: DHCP', table: messages.dhcpMessages },
    { title: 'anchord: data plane', table: messages.dataplaneMessages },
    { title: 'anchord: discovery', table: messages.discoveryMessages },
    { title: 'anchord: path to the backends', table: messages.pathMessages },
    { title: 'anchord: life of the containers', table: messages.lifecycleMessages },
    { title: 'anchord: external-rebinder', table: messages.externalRebinderMessages },
    { title: 'anchord: wrap-rebinder', table: messages.wrapRebinderMessages },
    { title: 'anchord: service-anchor', table: messages.serviceAnchorMessages },
  ],
  metrics: [{ title: 'anchord', table: anchordMetrics }],
  settings: [
    {
      name: 'anchord-settings',
      title: 'Settings of anchord',
      about:
        'anchord is configured by environment variables alone. Variables of another mode, and unknown ones, are passed over.',
      schemas: [
        networkAnchorSchema,
        managedServiceAnchorSchema,
        serviceAnchorSchema,
        externalRebinderSchema,
        wrapRebinderSchema,
      ],
      source: 'environment',
    },
  ],
};
