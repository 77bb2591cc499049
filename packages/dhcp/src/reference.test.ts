import { expect, it } from 'vitest';
import { machinesReference } from './reference.ts';

/** After a change that is meant: `npm run test:unit -- dhcp/src/reference -u`. */
it('the reference of the client machines says what the tables say', async () => {
  await expect(machinesReference()).toMatchFileSnapshot('../../../docs/reference/dhcp-machines.md');
});
