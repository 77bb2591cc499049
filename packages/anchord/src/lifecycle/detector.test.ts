import { describe, expect, it } from 'vitest';
import { ofProject } from '../testing/life.ts';
import { testParts } from '../testing/program.ts';
import { SimHost } from '../testing/sim-host.ts';
import { DeadNamespaceDetector } from './detector.ts';

const mail = ofProject('mail', 'smtp');
const { signal } = new AbortController();

describe('the detector of dead namespaces', () => {
  const stage = () => {
    const host = new SimHost();
    const parts = testParts();
    const spawn = (name: string, mode?: string) => {
      const made = host.make(name, { labels: mail, ...(mode === undefined ? {} : { mode }) });
      host.start(made);
      return made;
    };
    const detector = new DeadNamespaceDetector(
      { projects: new Set(['mail']), intervalMs: 1_000 },
      { ...parts, clock: host.clock, containers: host.door().containers },
    );
    return { host, parts, spawn, look: () => detector.look(signal) };
  };
  const dead = 'dependent in dead netns';
  const alive = 'dependent no longer in dead netns';

  it('tells what begins and what ends, and shows what there is meanwhile', async () => {
    const { host, parts, spawn, look } = stage();
    const { problems, registry, recording } = parts;
    const owner = spawn('owner');
    const app = spawn('app', 'container:owner');
    host.remove(owner);
    await look();
    expect(registry.expose()).toContain('\nanchord_dead_namespaces 1\n');
    expect(problems.list()).toEqual([
      {
        code: 'dead-namespace',
        subject: 'app',
        detail: 'owner gone; docker compose -p mail up -d --no-deps --force-recreate smtp',
      },
    ]);
    host.remove(app);
    await look();
    expect(registry.expose()).toContain('\nanchord_dead_namespaces 0\n');
    expect(problems.list()).toEqual([]);
    expect(recording.messages()).toEqual([dead, alive]);
    expect(recording.attrsOf(alive)).toEqual([
      { container: 'app', container_id: app.id, stale_target: owner.id },
    ]);
  });

  it('leaves alone what a re-creation has set aside, and keeps what it knows when Docker does not answer', async () => {
    const { host, parts, spawn, look } = stage();
    const owner = spawn('owner');
    const app = spawn('app', 'container:owner');
    host.remove(owner);
    host.rename(app, 'app.berth-0123456789abcdef.up');
    await look();
    expect(parts.recording.messages()).toEqual([]);
    host.rename(app, 'app');
    await look();
    host.onCall = () => 'lost request';
    await look();
    host.onCall = () => 'done';
    await look();
    expect(parts.recording.messages()).toEqual([dead, 'dead-netns detector list failed']);
  });
});
