/** A Docker host of the lab: namespaces of its own, an engine of its own, a place on the LAN. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { join } from 'node:path';
import { labErrors } from '../errors.ts';
import { cgroupOf, type LabName, namespaceName, runFolder, stateFolder } from '../names.ts';
import { findInit } from '../network/init.ts';
import { namespacePathOf } from '../network/namespace.ts';
import { type AddressPlan, type EngineVersion, type HostSpec, numberOf } from '../spec.ts';
import { namespaceId, processesIn } from '../tools/proc.ts';
import { type Argv, type Finished, must, type RunOptions, run } from '../tools/run.ts';

/** The interface of a host on the LAN: parent of macvlan networks. */
export const lanLink = 'lan0';

export class Host {
  readonly lab: LabName;
  readonly name: HostSpec['name'];
  readonly engine: EngineVersion;
  readonly addresses: { readonly v4: string; readonly v6: string };
  #init: number | undefined;

  constructor(lab: LabName, spec: HostSpec, plan: AddressPlan) {
    const number = plan.host(numberOf(spec.name));
    this.lab = lab;
    this.name = spec.name;
    this.engine = spec.engine;
    this.addresses = { v4: plan.v4(number), v6: plan.v6(number) };
  }

  get namespace(): string {
    return namespaceName(this.lab, this.name);
  }

  /** What the host sees as /run. */
  get runFolder(): string {
    return join(runFolder(this.lab), this.name, 'run');
  }

  get stateFolder(): string {
    return join(stateFolder(this.lab), this.name);
  }

  /** The engine's socket as seen from outside; on the host itself it is /var/run/docker.sock, as everywhere. */
  get socketPath(): string {
    return join(this.runFolder, 'docker.sock');
  }

  get engineLog(): string {
    return join(this.stateFolder, 'dockerd.log');
  }

  /** Below the mount of each hierarchy; the containers' own groups are in it. */
  get cgroup(): string {
    return `${cgroupOf(this.lab)}/${this.name}`;
  }

  /** The host's first process, in our own numbering; undefined if the host is not running. */
  findInit(): number | undefined {
    this.#init = findInit(this.namespace, this.#init);
    return this.#init;
  }

  get init(): number {
    const init = this.findInit();
    if (init === undefined) throw labErrors.error('NOT_UP', `${this.name} of the lab ${this.lab} is not up`);
    return init;
  }

  /** The processes in the host's own network namespace (its containers have others), in our own numbering. */
  processes(): number[] {
    const id = namespaceId(namespacePathOf(this.namespace));
    return id === undefined ? [] : processesIn(id);
  }

  /** A path of the host (its mounts, its /proc, a container's namespace file) as we can open it from outside. */
  path(inside: string): string {
    return join(`/proc/${this.init}/root`, inside);
  }

  /** The command that does this on the host. */
  argv(argv: Argv, folder = '/'): Argv {
    return [
      'nsenter',
      `--target=${this.init}`,
      '--mount',
      // Ours may be another one than the machine's, in a chroot.
      '--root',
      '--net',
      '--pid',
      '--ipc',
      '--uts',
      `--wdns=${folder}`,
      '--',
      ...argv,
    ];
  }

  /** Runs a program on the host to its end. */
  exec(argv: Argv, options: RunOptions & { readonly folder?: string } = {}): Promise<Finished> {
    return run(this.argv(argv, options.folder), { ...options, env: { ...this.environment, ...options.env } });
  }

  /** Runs a program that has to succeed; hands back what it wrote. */
  must(argv: Argv, options: RunOptions & { readonly folder?: string } = {}): Promise<string> {
    return must(this.argv(argv, options.folder), {
      ...options,
      env: { ...this.environment, ...options.env },
    });
  }

  /** Starts a program on the host; whoever starts it ends it. */
  spawn(argv: Argv, options: SpawnOptions = {}): ChildProcess {
    const [command, ...args] = this.argv(argv);
    return spawn(command, args, { ...options, env: { ...process.env, ...this.environment, ...options.env } });
  }

  /** Debian's docker command, on the host, against its engine. */
  docker(...args: readonly string[]): Promise<string> {
    return this.must(['docker', ...args]);
  }

  /** What programs on the host find in their environment, whatever ours says: the host's engine, no user's account. */
  get environment(): Readonly<Record<string, string>> {
    return {
      DOCKER_HOST: 'unix:///var/run/docker.sock',
      DOCKER_CONFIG: join(this.stateFolder, 'docker-config'),
      DOCKER_CONTEXT: '',
      // The engine's own builder: no other is installed.
      DOCKER_BUILDKIT: '0',
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C.UTF-8',
    };
  }
}
