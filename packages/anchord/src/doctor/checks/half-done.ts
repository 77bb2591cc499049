/**
 * Re-creations that nobody brought to their end: whoever was at it was killed, an anchor or the doctor itself. The name of
 * the container that was set aside says all that is needed to go on; what it does not say is whether somebody still works
 * on it. So an operation counts as abandoned only when nothing has happened to its containers for a while.
 */
import {
  type ContainerDetails,
  type ContainerSummary,
  type Containers,
  type Events,
  engineErrors,
  parseAsideName,
} from '@berth/engine';
import { type Finding, found, type Outcome, skipped, unknown } from '../outcome.ts';
import type { Site } from '../site.ts';

/** An operation takes seconds, and beside that as long as the old container may take to stop. */
const quietMs = 120_000;

interface Looks {
  readonly containers: Pick<Containers, 'inspect'>;
  readonly events: Pick<Events, 'past'>;
}

export async function halfDone(site: Site): Promise<Outcome> {
  if (!site.usesDocker) return skipped('a service-anchor does not talk to Docker');
  const { engine, signal } = site.parts;
  const all = await site.containers();
  const { engineTime } = await engine.system.ping({ signal });
  if (engineTime === undefined) return unknown('the engine does not tell its time');
  const findings = await halfDoneRepairs(engine, all, engineTime);
  // A repair at which somebody is right now is nothing wrong.
  const abandoned = findings.filter(({ step }) => step !== undefined);
  if (abandoned.length > 0 || findings.length === 0) return found(abandoned);
  return unknown(findings.map(({ subject, detail, remedy }) => `${subject} ${detail}. ${remedy}`).join(' '));
}

/** `now`: by the engine's clock, and not in its future, or it waits until then. */
export async function halfDoneRepairs(
  looks: Looks,
  all: readonly Pick<ContainerSummary, 'id' | 'names'>[],
  now: number,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { id, names } of all) {
    const [setAside = ''] = names;
    const name = parseAsideName(setAside)?.name;
    if (name === undefined) continue;
    const old = await inspected(looks, id);
    if (old === undefined) continue;
    const wait = await stillToWait(looks, old, await inspected(looks, name), now);
    const detail = `is set aside as ${setAside} to be made anew`;
    findings.push(
      wait === undefined
        ? { subject: name, detail, step: { do: 'end repair', id, name } }
        : { subject: name, detail, remedy: wait },
    );
  }
  return findings;
}

/** Why nothing may be done yet. */
async function stillToWait(
  { events }: Looks,
  old: ContainerDetails,
  holder: ContainerDetails | undefined,
  now: number,
): Promise<string | undefined> {
  const graceMs = (old.config.StopTimeout ?? 10) * 1_000;
  const since = now - quietMs - graceMs;
  const stopped = old.state.running ? undefined : old.state.finishedAt;
  const touched = [stopped, holder?.createdAt].map((at) => (at === undefined ? 0 : Date.parse(at)));
  try {
    const renamed = await events.past({
      since,
      until: now,
      filters: { type: ['container'], event: ['rename'], container: [old.id] },
    });
    touched.push(...renamed.map(({ at }) => at));
  } catch (error) {
    if (!engineErrors.is(error, 'ENGINE_PERMISSION_DENIED')) throw error;
    return 'Let the socket proxy allow EVENTS: without it nothing tells whether somebody still works on it.';
  }
  if (Math.max(...touched) < since) return undefined;
  const seconds = Math.ceil((quietMs + graceMs) / 1_000);
  return `Somebody may still be at it: look again when nothing has happened to it for ${seconds} seconds.`;
}

async function inspected({ containers }: Looks, ref: string): Promise<ContainerDetails | undefined> {
  try {
    return await containers.inspect(ref);
  } catch (error) {
    if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return undefined;
    throw error;
  }
}
