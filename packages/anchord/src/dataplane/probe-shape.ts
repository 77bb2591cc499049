/** Finds out what this kernel can do, with a table that is thrown away at once. */
import { release } from 'node:os';
import { kernelErrors } from '@berth/kernel';
import {
  accept,
  baseChain,
  match,
  type Nftables,
  priorities,
  rule,
  ruleset,
  table,
} from '@berth/kernel/nftables';
import { type Family, families, type PerFamily } from '../families.ts';
import { type DataplaneShape, tableNames } from './ruleset.ts';

const probeOwner = 'anchord-probe';
const probeTables: PerFamily<string> = { v4: 'anchord_v4fib_probe', v6: 'anchord_v6fib_probe' };

/** The families whose nat chains may look an address up in the routing table. */
function familiesWithFib(nftables: Nftables): ReadonlySet<Family> {
  return new Set(families.filter((family) => takesFib(nftables, family)));
}

function takesFib(nftables: Nftables, family: Family): boolean {
  const name = { family: tableNames[family].family, name: probeTables[family] };
  const chain = baseChain('prerouting', { type: 'nat', hook: 'prerouting', priority: priorities.dstnat }, [
    rule(match('fib daddr type', 'local'), accept),
  ]);
  try {
    nftables.replace(ruleset(probeOwner, table(name.family, name.name, { chains: [chain] })), {
      takeOver: true,
    });
    return true;
  } catch (error) {
    if (kernelErrors.is(error, 'KERNEL_NOT_PERMITTED')) throw error;
    return false;
  } finally {
    nftables.remove(probeOwner, [name], { takeOver: true });
  }
}

/** Linux 5.7 and newer know the input interface in postrouting; older ones do not match there, without a word. */
function knowsInputInterfaceLate(kernelRelease: string): boolean {
  const [major = 0, minor = 0] = kernelRelease.split('.').map((part) => Number.parseInt(part, 10));
  return major > 5 || (major === 5 && minor >= 7);
}

export function probeShape(
  nftables: Nftables,
  fixed: Pick<DataplaneShape, 'externalInterface' | 'forwardFilter'>,
): DataplaneShape {
  const fib = familiesWithFib(nftables);
  const guard = (family: Family) => (fib.has(family) ? 'local-address' : 'external-interface');
  return {
    ...fixed,
    guard: { v4: guard('v4'), v6: guard('v6') },
    hairpin: knowsInputInterfaceLate(release()) ? 'by-interface' : 'by-mark',
  };
}
