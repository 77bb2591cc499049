/** Looks at our own container, which is named by what the kernel shows of it, or by the host name. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { type ContainerDetails, type Containers, engineErrors } from '@berth/engine';
import { anchordErrors } from '../errors.ts';
import { ownContainerReferences } from './own-container.ts';

/** What to try, most certain first. */
export const ownReferences = (): readonly string[] =>
  ownContainerReferences({
    cgroup: readFileSync('/proc/self/cgroup', 'utf8'),
    mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
    hostname: hostname(),
  });

/** The first that Docker knows. Throws `SELF_NOT_FOUND`, or what Docker has to say. */
export async function inspectSelf(
  containers: Pick<Containers, 'inspect'>,
  references: readonly string[],
  signal: AbortSignal,
  timeoutMs?: number,
): Promise<ContainerDetails> {
  for (const reference of references) {
    try {
      return await containers.inspect(reference, { signal, timeoutMs });
    } catch (error) {
      if (!engineErrors.is(error, 'ENGINE_NOT_FOUND')) throw error;
    }
  }
  throw anchordErrors.error('SELF_NOT_FOUND', `Docker knows no container ${references.join(', ')}`);
}
