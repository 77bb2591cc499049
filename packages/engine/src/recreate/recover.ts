import type { ContainerDetails } from '../containers/index.ts';
import { goBack } from './back.ts';
import { find, type RecreateDoor } from './door.ts';
import { type Aside, parseAsideName, recreateLabels } from './marks.ts';
import { type VerifyOptions, whyUnfit } from './verify.ts';

/** A container that an operation set aside and neither removed nor put back. */
export interface Leftover extends Aside {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Recovered {
  readonly leftover: Leftover;
  /** The new container was up and stays; or the old one is back; or something is still in the way. */
  readonly outcome: 'finished' | 'put back' | 'stuck';
  /** What is in the way. */
  readonly problem: string | undefined;
}

/**
 * Ends what a crash, or an engine that went away, left half done. `accepts` decides whose operations these are: never one
 * that is still being worked on, by this process or another.
 */
export async function recoverRecreations(
  door: RecreateDoor,
  accepts: (leftover: Leftover) => boolean,
  options: VerifyOptions = {},
): Promise<Recovered[]> {
  const recovered: Recovered[] = [];
  for (const { id, names, labels } of await door.containers.list({ all: true })) {
    const aside = parseAsideName(names[0] ?? '');
    if (aside === undefined) continue;
    const leftover = { ...aside, id, labels };
    if (accepts(leftover)) recovered.push({ leftover, ...(await recover(door, leftover, options)) });
  }
  return recovered;
}

async function recover(
  door: RecreateDoor,
  leftover: Leftover,
  options: VerifyOptions,
): Promise<Pick<Recovered, 'outcome' | 'problem'>> {
  const stuck = (error: unknown) => ({
    outcome: 'stuck' as const,
    problem: error instanceof Error ? error.message : String(error),
  });
  const isFit = async ({ id, attachments }: ContainerDetails): Promise<boolean> =>
    (await whyUnfit(door, id, Object.keys(attachments), options)) === undefined;
  try {
    const holder = await find(door, leftover.name);
    const replacement = holder?.labels[recreateLabels.replaces] === leftover.id ? holder : undefined;
    if (replacement !== undefined && (await isFit(replacement))) {
      await door.containers.remove(leftover.id, { force: true });
      return { outcome: 'finished', problem: undefined };
    }
    const problem = await goBack(door, {
      operation: replacement?.labels[recreateLabels.operation] ?? leftover.operation,
      oldId: leftover.id,
      name: leftover.name,
      ran: leftover.ran,
    });
    return problem === undefined ? { outcome: 'put back', problem } : stuck(problem);
  } catch (error) {
    return stuck(error);
  }
}
