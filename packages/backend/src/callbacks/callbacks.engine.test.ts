/** What the configuration says of callbacks, in the program as a whole. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@berth/lab/testing';
import { describe, expect, it } from 'vitest';
import { certificateFolder } from '../testing/certificates.ts';
import { imageOf } from '../testing/rig/images.ts';
import { Rig, service } from '../testing/rig/rig.ts';

describe('a daemon whose certificate nobody vouches for', () => {
  it('is told nothing, until the configuration says that any certificate will do', async () => {
    using folder = certificateFolder();
    folder.authority('authority');
    const { cert, key } = folder.issue('authority', 'daemon', 'daemon', ['IP:127.0.0.1']);
    const told: string[] = [];
    const daemon = createServer({ cert, key }, async (request, response) => {
      for await (const chunk of request) told.push(String(chunk));
      response.writeHead(200).end();
    });
    await new Promise<void>((resolve) => daemon.listen(0, '127.0.0.1', resolve));
    try {
      await using rig = await Rig.open();
      const callbackUrl = `https://127.0.0.1:${(daemon.address() as AddressInfo).port}/`;
      const uuid = await rig.provision(
        { web: service({ image: imageOf('plain', 'absent') }) },
        { callbackUrl },
      );
      const refused = () => rig.program.logs.attrsOf('callback attempt failed').at(-1)?.['error'];
      await waitFor('an attempt', () => refused() !== undefined, { timeoutMs: 60_000 });
      expect(refused()).toContain('certificate');
      expect(told).toEqual([]);
      await rig.stop();
      rig.configure({ callback_insecure_skip_verify: true });
      await rig.start();
      await waitFor('the callback', () => told.length > 0, { timeoutMs: 60_000 });
      expect(JSON.parse(told.join(''))).toMatchObject({ lease_uuid: uuid, status: 'failed' });
    } finally {
      daemon.closeAllConnections();
      await new Promise((resolve) => daemon.close(resolve));
    }
  });
});
