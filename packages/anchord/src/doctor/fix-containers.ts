/** What the doctor does to containers. Each deed, killed at any moment, leaves what can be found and brought to its end. */
import { randomBytes } from 'node:crypto';
import {
  askedEndpoint,
  type Engine,
  engineErrors,
  type RecreateDoor,
  recoverRecreations,
  recreateContainer,
} from '@berth/engine';
import type { Step } from './outcome.ts';

type Of<Do extends Step['do']> = Extract<Step, { readonly do: Do }>;

/** `signal` is heeded as long as the old container runs; after that it is brought to its end. */
export async function recreateInNetwork(
  door: Parameters<typeof recreateContainer>[0],
  { id, networkMode, starts }: Pick<Of<'re-create container'>, 'id' | 'networkMode' | 'starts'>,
  signal: AbortSignal,
): Promise<void> {
  const operation = randomBytes(8).toString('hex');
  const start = starts ? 'yes' : 'as-it-was';
  await recreateContainer(door, { container: id, operation, networkMode, start }, { signal });
}

/** Finishes it where the new container is up, and puts the old one back otherwise. */
export async function endRepair(door: RecreateDoor, { id }: Pick<Of<'end repair'>, 'id'>): Promise<void> {
  for (const { outcome, problem } of await recoverRecreations(door, (leftover) => leftover.id === id)) {
    if (outcome === 'stuck') throw new Error(problem);
  }
}

/** What was asked for when it was attached is asked for again; an address that Docker had chosen is chosen anew. */
export async function reattach(
  { containers, networks }: Pick<Engine, 'containers' | 'networks'>,
  { id, network, networkId }: Of<'re-attach container'>,
): Promise<void> {
  const before = (await containers.inspect(id)).attachments[network];
  const endpoint = before === undefined ? {} : askedEndpoint(before, id);
  const connect = () => networks.connect(networkId, id, endpoint);
  // An attachment to a network that is gone is overwritten in one stroke: there is no moment in which nothing is known of it.
  try {
    await connect();
  } catch (error) {
    if (!engineErrors.is(error)) throw error;
  }
  if ((await containers.inspect(id)).attachments[network]?.networkId !== before?.networkId) return;
  await networks.disconnect(network, id, { force: true });
  await connect();
}
