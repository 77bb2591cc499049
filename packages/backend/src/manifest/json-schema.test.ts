import { expect, it } from 'vitest';
import { manifestSchema } from './json-schema.ts';

it('the published JSON Schema of the manifest is the one that the parser is made of', async () => {
  const text = `${JSON.stringify(manifestSchema, undefined, 2)}\n`;
  await expect(text).toMatchFileSnapshot('../../../../docs/reference/manifest.schema.json');
});
