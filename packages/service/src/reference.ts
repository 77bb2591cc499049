/** What this package says in docs/reference. */
import { listenerMessages } from './http/index.ts';
import { lifecycleMessages } from './lifecycle/index.ts';
import { logMessages } from './log/index.ts';
import { processMetrics } from './metrics/index.ts';
import type { PackageReference } from './reference/index.ts';
import { serviceErrors } from './service-errors.ts';

export const reference: PackageReference = {
  errors: [{ title: 'Every program', table: serviceErrors.rows }],
  messages: [
    { title: 'Life of a program', table: lifecycleMessages },
    { title: 'Metrics and health listener', table: listenerMessages },
    { title: 'The log itself', table: logMessages },
  ],
  metrics: [{ title: 'Every process', table: processMetrics }],
};
