/** A lab that is up: its hosts, its LAN and who else is on it. */
import { readDescription } from './description.ts';
import { labErrors } from './errors.ts';
import { Host } from './host/host.ts';
import { defaultLabName, type LabName, namespaceName } from './names.ts';
import { Client } from './network/client.ts';
import { clientNames, internetClient, type Lan, lanOf } from './network/lan.ts';
import { type LabSpec, numberOf } from './spec.ts';

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

  /** A client on the LAN by its name, or `inet`, the one beyond the router. Whoever asks for one disposes of it. */
  client(name = 'client1'): Client {
    const namespace = namespaceName(this.name, name);
    if (name === 'inet' && this.spec.internet) return new Client(name, namespace, internetClient);
    if (!this.clientNames.includes(name))
      throw labErrors.error(
        'BAD_NAME',
        `the lab ${this.name} has no ${name}, only ${this.clientNames.join(', ')}`,
      );
    const number = this.lan.plan.client(numberOf(name));
    return new Client(name, namespace, { v4: this.lan.plan.v4(number), v6: this.lan.plan.v6(number) });
  }

  get clientNames(): string[] {
    return clientNames(this.spec);
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
