/** A lab that is up: its hosts, its LAN and who else is on it. */
import { readDescription } from './description.ts';
import { labErrors } from './errors.ts';
import { Host } from './host/host.ts';
import { defaultLabName, type LabName } from './names.ts';
import { type Lan, lanOf } from './network/lan.ts';
import type { LabSpec } from './spec.ts';

export class Lab {
  readonly name: LabName;
  readonly spec: LabSpec;
  readonly lan: Lan;
  readonly hosts: readonly Host[];

  constructor(name: LabName, spec: LabSpec) {
    this.name = name;
    this.spec = spec;
    this.lan = lanOf(name, spec);
    this.hosts = spec.hosts.map((host) => new Host(name, host, this.lan.plan));
  }

  /** A host by its name; the first one without. */
  host(name: string = this.hosts[0]?.name ?? 'host1'): Host {
    const host = this.hosts.find((candidate) => candidate.name === name);
    if (host === undefined)
      throw labErrors.error(
        'BAD_NAME',
        `the lab ${this.name} has no ${name}, only ${this.hosts.map((known) => known.name).join(', ')}`,
      );
    return host;
  }

  get clientNames(): string[] {
    return Array.from({ length: this.spec.clients }, (_, index) => `client${index + 1}`);
  }
}

/** Opens a lab that is up, by its name. */
export async function openLab(name: LabName = defaultLabName()): Promise<Lab> {
  const found = await readDescription(name);
  if (found === undefined) throw labErrors.error('NOT_UP', `the lab ${name} is not up`);
  if (found === 'unreadable' || !found.complete)
    throw labErrors.error('NOT_UP', `the lab ${name} was never finished`);
  return new Lab(name, found.spec);
}
