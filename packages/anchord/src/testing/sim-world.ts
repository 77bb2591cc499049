/**
 * A host on which people and programs do what they like: containers are created, started, ended, removed, renamed and
 * restarted at any moment, and our own address changes. What is to be true of it whenever they rest.
 */
import { parseAsideName } from '@berth/engine';
import type { Clock } from '@berth/service';
import { expect } from 'vitest';
import { ofProject } from './life.ts';
import { recipe } from './sim-anchors.ts';
import { type SimContainer, SimHost } from './sim-host.ts';

const [mail, wrap, other] = ['mail', 'wrap', 'other'].map((project) => ofProject(project));

export class SimWorld {
  readonly host: SimHost;
  readonly random: () => number;
  /** Our address on the shared network. */
  gateway = '172.30.0.2';

  constructor(random: () => number, clock?: Clock) {
    this.random = random;
    this.host = new SimHost(clock);
    for (const name of ['target', 'owner', 'stranger'])
      this.spawn(name, name === 'owner' ? mail : name === 'stranger' ? other : {});
    this.spawn('app', mail, 'container:owner');
    this.spawn('guest', other, 'container:stranger');
    for (const name of ['wrap1', 'wrap2']) this.spawn(name, { ...wrap }, 'container:target');
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  spawn(name: string, labels: Readonly<Record<string, string>> | undefined, mode = 'bridge'): void {
    if (this.host.named(name) !== undefined) return;
    const made = this.host.make(name, { labels: labels ?? {}, mode });
    this.try(() => this.host.start(made));
  }

  /** What somebody else tries may fail. */
  try(deed: () => void): void {
    try {
      deed();
    } catch {
      // Whoever tried it has to live with that.
    }
  }

  /** One thing that somebody else does. Names of what is set aside are nobody's to know. */
  stir(): void {
    const known = [...this.host.all.values()].filter(({ name }) => !name.includes('.berth-'));
    const one = this.pick(known);
    const kind = this.random();
    if (kind < 0.1) this.spawn('target', {});
    else if (kind < 0.15) this.spawn('owner', mail);
    else if (kind < 0.2) this.spawn('stranger', other);
    else if (kind < 0.25) this.spawn('dependent', mail, `container:${recipe.name}`);
    else if (kind < 0.3) this.spawn('app', mail, 'container:owner');
    else if (kind < 0.33) this.gateway = `172.30.0.${2 + Math.floor(this.random() * 3)}`;
    else if (kind < 0.36) this.restartEngine();
    else if (one === undefined) return;
    else if (kind < 0.6) this.try(() => this.host.restart(one));
    else if (kind < 0.75) this.host.stop(one);
    else if (kind < 0.85) this.try(() => this.host.start(one));
    else if (kind < 0.97) this.host.remove(one);
    else this.try(() => this.host.rename(one, `${one.name}x`.slice(0, 12)));
  }

  /** Docker starts them in whatever order. */
  restartEngine(): void {
    const ran = [...this.host.all.values()].filter(({ status }) => status === 'running');
    for (const one of ran) this.host.stop(one);
    for (const one of ran.sort(() => this.random() - 0.5)) this.try(() => this.host.start(one));
  }
}

const isForeign = ({ name, labels }: SimContainer): boolean =>
  labels['com.docker.compose.project'] === 'other' || /^(stranger|guest|target|owner)x*$/.test(name);

/** Everything where it belongs, and nothing foreign touched. */
export function expectInOrder({ host }: SimWorld): void {
  const all = [...host.all.values()];
  // Whoever took the name of a container that is being replaced keeps it, and nobody else's is removed for that.
  const aside = all.filter(({ name }) => {
    const plain = parseAsideName(name)?.name;
    return plain !== undefined && host.named(plain) === undefined;
  });
  expect(aside.map(({ name }) => name)).toEqual([]);
  // A start that somebody else has tried, and that failed for want of its owner, may be tried again.
  const touched = host.deeds.filter(
    ({ call, container }) =>
      isForeign(container) && !(call === 'start' && container.mode.startsWith('container:')),
  );
  expect(touched.map(({ call, container }) => `${call} ${container.name}`)).toEqual([]);
  const target = host.named('target');
  if (target?.status === 'running') {
    const anchor = host.named(recipe.name);
    expect(`${anchor?.status} ${anchor?.namespace}`).toBe(`running ${target.namespace}`);
  }
  for (const one of all) {
    const reference = /^container:(.*)$/.exec(one.mode)?.[1];
    const owner = reference === undefined ? undefined : host.seek(reference);
    const isOurs = ['mail', 'wrap'].includes(one.labels['com.docker.compose.project'] ?? '');
    if (isOurs && one.status === 'running' && owner?.status === 'running')
      expect(`${one.name} in ${one.namespace}`).toBe(`${one.name} in ${owner.namespace}`);
  }
}
