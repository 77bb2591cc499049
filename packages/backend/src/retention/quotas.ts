import type { VolumeName } from '../names/index.ts';
import type { RetentionStore } from '../stores/index.ts';
import { adoptions, keptDiskMb } from './records.ts';

/** The quota of every kept volume. What a restore holds or is to be destroyed may be moving, and is left alone. */
export function* keptQuotas(
  store: RetentionStore,
): Generator<{ readonly name: VolumeName; readonly sizeMb: number }> {
  for (const { key, record } of store.withStatus('active')) {
    if (record === undefined) continue;
    for (const { kept: name } of adoptions(record, key)) {
      const sizeMb = keptDiskMb(record, name);
      if (sizeMb > 0) yield { name, sizeMb };
    }
  }
}
