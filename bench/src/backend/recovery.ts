/** How long a start takes that finds many containers, beside one list and one look at each of them. */
import { accepted } from '@berth/lab/provider';
import type { BenchCase, Row } from '../harness/bench-case.ts';
import { inParallel, openProvider } from './burst.ts';

const perLease = 10;
const atATime = 8;

export const recovery: BenchCase = {
  name: 'lease-recovery',
  about:
    'From the start of the program until it listens, with and without containers; beside a bare list and inspection of all.',
  unit: 'ms',
  needsRoot: true,
  async run({ scope, quick, say, stand: open }) {
    const stand = await open();
    const { containers } = stand.engine;
    const provider = await openProvider(scope, stand);
    const started = async (): Promise<number> => {
      await provider.program.stop();
      const began = performance.now();
      await provider.program.run();
      return performance.now() - began;
    };
    const emptyMs = Math.min(await started(), await started(), await started());
    // Back on the client of the program that runs now.
    await provider.restart();

    const leases = quick ? 3 : 50;
    say(`provisioning ${leases} leases of ${perLease} containers`);
    const items = [{ sku: 'small', quantity: perLease, service_name: 'web' }];
    const manifest = { services: { web: { image: provider.image } } };
    const wanted = Array.from({ length: leases }, () => provider.lease(items));
    await inParallel(wanted, atATime, async (lease) => void (await provider.provisioned(lease, manifest)));

    const bareMs: number[] = [];
    const ours: number[] = [];
    const count = leases * perLease;
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      const began = performance.now();
      const found = await containers.list({
        all: true,
        filters: { label: [`fred.backend_name=${provider.id}`] },
      });
      await inParallel(found, 32, async ({ id }) => void (await containers.inspect(id)));
      bareMs.push(performance.now() - began);
      if (found.length !== count) throw new Error(`${found.length} of ${count} containers`);
      ours.push(await started());
    }
    await provider.restart();
    const list = await provider.client.walk();
    if (list.filter(({ status }) => status === 'ready').length !== leases)
      throw new Error('a lease is not ready');
    say('closing the leases');
    await inParallel(wanted, atATime, async ({ lease_uuid: id }) => {
      accepted(await provider.client.deprovision(id));
      await provider.desk.next(id, 300_000);
    });
    const row = (work: string, by: string, ms: number): Row => ({ work, by, figures: { ms } });
    return [
      row('start without containers', 'berth', emptyMs),
      row(`start with ${count} containers`, 'berth', Math.min(...ours)),
      row(`what ${count} containers add`, 'berth', Math.min(...ours) - emptyMs),
      row(`${count} containers`, 'bare list and inspection', Math.min(...bareMs)),
    ];
  },
};
