import type { JsonSchema } from './shape.ts';
import { writtenService, writtenStack } from './written.ts';

/** The published schema of the manifest, made from the decoders themselves. */
export const manifestSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Tenant manifest',
  description:
    'A stack of services, or (deprecated) one service at top level. null for an optional field means that it is absent. ' +
    'Rules between fields (dependencies, duplicates, reserved tmpfs paths, ranges of durations) are checked at admission.',
  anyOf: [writtenStack.schema, writtenService.schema],
};
