/** Our own container, found however long Docker takes to answer. Throws `SELF_NOT_FOUND` where Docker knows none. */
import type { ContainerDetails, Engine } from '@berth/engine';
import { inspectSelf, ownReferences } from '../discovery/index.ts';
import { anchordErrors } from '../errors.ts';
import type { Program } from '../program.ts';
import { pause } from '../wakeup.ts';

const retryMs = 2_000;

export async function ourselves(
  { clock }: Pick<Program, 'clock'>,
  engine: Pick<Engine, 'containers'>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<ContainerDetails> {
  for (;;) {
    try {
      return await inspectSelf(engine.containers, ownReferences(), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (anchordErrors.is(error, 'SELF_NOT_FOUND')) throw error;
      onFailure(error);
      await pause(clock, retryMs, signal);
    }
  }
}
