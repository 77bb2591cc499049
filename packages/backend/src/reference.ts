/** What this package says in docs/reference. */
import type { PackageReference } from '@berth/service/reference';
import { configSchema } from './config/index.ts';
import { errors } from './errors.ts';
import { backendMetrics } from './metrics/index.ts';

export const reference: PackageReference = {
  errors: [{ title: 'The backend', table: errors.rows }],
  metrics: [{ title: 'docker-backend', table: backendMetrics }],
  settings: [
    {
      name: 'backend-settings',
      title: 'Settings of docker-backend',
      about:
        'Every key of the configuration file. `docker-backend config check` says what is wrong with one.',
      schemas: [configSchema],
      source: 'file',
    },
  ],
};
