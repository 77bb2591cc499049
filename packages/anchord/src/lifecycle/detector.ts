/** Reports who sits in a dead namespace, each once as long as it lasts. Changes nothing. */
import type { Containers } from '@berth/engine';
import type { Clock } from '@berth/service';
import type { Log } from '@berth/service/log';
import { lifecycleMessages as messages } from '../messages/index.ts';
import type { AnchordMetrics } from '../metrics.ts';
import type { Problems } from '../problems.ts';
import { pause } from '../wakeup.ts';
import { type DeadNamespace, deadNamespaces, shownName } from './dead-namespaces.ts';
import { type LifeContainer, observeContainers } from './observe.ts';
import { projectOf } from './reach.ts';

export interface DetectorParts {
  readonly containers: Pick<Containers, 'list' | 'inspect'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
  readonly metrics: Pick<AnchordMetrics, 'deadNamespaces'>;
}

export interface DetectorSettings {
  readonly projects: ReadonlySet<string>;
  readonly intervalMs: number;
}

export class DeadNamespaceDetector {
  readonly #settings: DetectorSettings;
  readonly #parts: DetectorParts;
  #known = new Map<string, DeadNamespace<LifeContainer>>();

  constructor(settings: DetectorSettings, parts: DetectorParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    const { projects, intervalMs } = this.#settings;
    if (projects.size === 0) {
      log.say(messages.detectorDisabled);
      return;
    }
    log.say(messages.detectorStarting, {
      scope_project: [...projects].sort().join(','),
      interval: intervalMs * 1_000_000,
    });
    while (!signal.aborted) {
      await this.look(signal);
      await pause(clock, intervalMs, signal);
    }
  }

  async look(signal: AbortSignal): Promise<void> {
    const { containers, log, problems, metrics } = this.#parts;
    const all = await observeContainers(containers, signal).catch((err: unknown) => {
      if (!signal.aborted) log.say(messages.detectorListFailed, { err });
      return undefined;
    });
    if (all === undefined) return;
    const candidates = all.filter((container) => !container.isAside && this.#isOurs(container));
    const found = deadNamespaces(candidates, all);
    const now = new Map(found.map((dead) => [`${dead.container.id} ${dead.reference} ${dead.why}`, dead]));
    for (const [key, dead] of now) if (!this.#known.has(key)) this.#report(dead);
    for (const [key, dead] of this.#known) if (!now.has(key)) this.#retract(dead);
    this.#known = now;
    metrics.deadNamespaces.set(now.size);
    problems.observe(
      ['dead-namespace'],
      found.map(({ container, why, recovery }) => ({
        code: 'dead-namespace',
        subject: shownName(container),
        detail: recovery === undefined ? why : `${why}; ${recovery}`,
      })),
    );
  }

  #isOurs({ labels }: LifeContainer): boolean {
    const project = projectOf(labels);
    return project !== undefined && this.#settings.projects.has(project);
  }

  #report({ container, reference, why, recovery }: DeadNamespace<LifeContainer>): void {
    this.#parts.log.say(messages.dependentDead, {
      container: shownName(container),
      container_id: container.id,
      stale_target: reference,
      why,
      ...(recovery === undefined ? {} : { hint: recovery }),
    });
  }

  #retract({ container, reference }: DeadNamespace<LifeContainer>): void {
    this.#parts.log.say(messages.dependentAlive, {
      container: shownName(container),
      container_id: container.id,
      stale_target: reference,
    });
  }
}
