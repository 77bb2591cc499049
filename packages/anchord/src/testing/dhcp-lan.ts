/** A LAN of one test's own: a switch with Debian's dnsmasq, and a container on it as Docker would plug it in. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMac } from '@berth/kernel/ip';
import { Netns } from '@berth/kernel/netns';
import { Network } from '@berth/kernel/network';
import type { Cancellable, Clock } from '@berth/service';
import type { ExternalLink } from '../addressing/index.ts';

export const containerMac = parseMac('02:42:0a:63:00:32');

/** `ip ARGS` inside, words split at blanks; answers what it printed. */
export function ip(namespace: Netns, args: string): string {
  const { status, stdout, stderr } = namespace.run(() =>
    spawnSync('ip', args.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  if (status !== 0) throw new Error(`ip ${args}: ${stderr.trim()}`);
  return stdout;
}

/** The addresses of a link as `ip` shows them. */
export function addressesOf(namespace: Netns, link: string, family: 4 | 6 = 4): readonly string[] {
  return ip(namespace, `-${family} -o addr show dev ${link} scope global`)
    .split('\n')
    .flatMap((line) => line.match(/inet6? (\S+)/)?.[1] ?? []);
}

/** Waits for a condition, event loop running; says what was missing if it does not come about. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false,
  evidence: () => unknown = () => '',
  deadlineMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline)
      throw new Error(`after ${deadlineMs} ms still not: ${what}\n${evidence()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A TCP echo between two namespaces, to see whether a connection lives. */
export class Echo implements Disposable {
  readonly #server: ChildProcess;
  readonly #client: ChildProcess;
  #heard = '';

  private constructor(server: ChildProcess, client: ChildProcess) {
    this.#server = server;
    this.#client = client;
    client.stdout?.on('data', (text: Buffer) => {
      this.#heard += text.toString();
    });
  }

  static async open(served: Netns, from: Netns, address: string): Promise<Echo> {
    const run = (namespace: Netns, script: string): ChildProcess =>
      namespace.run(() => spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }));
    const server = run(
      served,
      `require('node:net').createServer((socket) => socket.pipe(socket)).listen(4000, () => console.log('listens'))`,
    );
    await new Promise((resolve) => server.stdout?.once('data', resolve));
    const client = run(
      from,
      `const socket = require('node:net').connect(4000, '${address}'); process.stdin.pipe(socket).pipe(process.stdout)`,
    );
    return new Echo(server, client);
  }

  /** Says something, and waits until it comes back. */
  async says(text: string): Promise<void> {
    this.#heard = '';
    this.#client.stdin?.write(text);
    await until(
      `the echo of ${text}`,
      () => this.#heard === text,
      () => this.#heard,
    );
  }

  [Symbol.dispose](): void {
    this.#client.kill('SIGKILL');
    this.#server.kill('SIGKILL');
  }
}

/** Time that goes by faster, so that a lease of minutes is over in seconds, while packets are as quick as ever. */
export class FastClock implements Clock {
  readonly #speed: number;

  constructor(speed: number) {
    this.#speed = speed;
  }

  now(): number {
    return Date.UTC(2026, 0, 1) + this.monotonic();
  }

  monotonic(): number {
    return performance.now() * this.#speed;
  }

  after(delayMs: number, callback: () => void): Cancellable {
    const timer = setTimeout(callback, Math.max(delayMs, 0) / this.#speed);
    return { cancel: () => clearTimeout(timer) };
  }
}

/** A running dnsmasq. */
export class Dnsmasq implements Disposable {
  readonly #folder: string;
  readonly #process: ChildProcess;
  #output = '';

  constructor(namespace: Netns, ...options: readonly string[]) {
    this.#folder = mkdtempSync(join(tmpdir(), 'berth-dnsmasq-'));
    const always = [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--user=root',
      '--group=root',
      '--pid-file=',
    ];
    const here = [
      '--port=0',
      '--no-ping',
      '--log-dhcp',
      '--log-facility=-',
      `--dhcp-leasefile=${this.leaseFile}`,
    ];
    this.#process = namespace.run(() =>
      spawn('dnsmasq', [...always, ...here, ...options], { stdio: ['ignore', 'ignore', 'pipe'] }),
    );
    this.#process.stderr?.on('data', (text: Buffer) => {
      this.#output += text.toString();
    });
  }

  get leaseFile(): string {
    return join(this.#folder, 'leases');
  }

  /** What it said so far. */
  get log(): string {
    return this.#output;
  }

  /** The messages that it got and sent, in order: `DHCPDISCOVER`, ... */
  get messages(): readonly string[] {
    return this.#output.match(/\b(DHCP[A-Z0-9]+|RTR-[A-Z]+)\b(?=\()/g) ?? [];
  }

  /** The lines of its lease table. */
  get leases(): readonly string[] {
    try {
      return readFileSync(this.leaseFile, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('duid'));
    } catch {
      return [];
    }
  }

  started(): Promise<boolean> {
    return until(
      'dnsmasq has started',
      () => this.#output.includes('started, version'),
      () => this.#output,
    );
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * A switch `br0` in a namespace of its own (10.99.0.1, fd99::1), a Docker host with one cable to it, and a container on
 * that host with the macvlan interface `ext` (10.99.0.9, as Docker would have given it) and `transit` (172.30.0.2).
 */
export class DhcpLan implements Disposable {
  readonly lan = Netns.create('lan');
  readonly host = Netns.create('host');
  readonly container = Netns.create('container');
  readonly link: ExternalLink;
  readonly #resources = new DisposableStack();

  constructor(bootstrap = '10.99.0.9/24') {
    for (const namespace of [this.lan, this.host, this.container]) {
      this.#resources.use(namespace);
      ip(namespace, 'link set lo up');
    }
    ip(this.lan, 'link add br0 type bridge forward_delay 0 stp_state 0');
    ip(this.lan, 'link set br0 up');
    ip(this.lan, 'addr add 10.99.0.1/24 dev br0');
    ip(this.lan, 'addr add fd99::1/64 dev br0 nodad');
    this.plugIn(this.host, 'parent', 'port0');
    using hostNetwork = Network.open(this.host);
    const parent = hostNetwork.links.byName('parent');
    if (parent === undefined) throw new Error('no parent');
    hostNetwork.links.create(
      { kind: 'macvlan', name: 'ext', parent: parent.index, mode: 'bridge', mac: containerMac },
      this.container,
    );
    ip(this.container, 'link set ext up');
    if (bootstrap !== '') ip(this.container, `addr add ${bootstrap} brd + dev ext`);
    ip(this.container, 'link add transit type bridge');
    ip(this.container, 'link set transit up');
    ip(this.container, 'addr add 172.30.0.2/24 dev transit');
    this.link = this.linkOf('ext');
  }

  linkOf(name: string): ExternalLink {
    using network = Network.open(this.container);
    const link = network.links.byName(name);
    if (link?.mac === undefined) throw new Error(`no link ${name}`);
    return { index: link.index, name, mac: link.mac };
  }

  /** A cable from the switch into another namespace. */
  plugIn(namespace: Netns, name: string, port: string): void {
    using network = Network.open(this.lan);
    network.links.create({ kind: 'veth', name: port, up: true, peer: { name, namespace } });
    ip(this.lan, `link set ${port} master br0`);
    ip(namespace, `link set ${name} up`);
  }

  /** One more machine on the switch. */
  async neighbour(name: string, address: string): Promise<Netns> {
    const namespace = this.#resources.use(Netns.create(name));
    ip(namespace, 'link set lo up');
    this.plugIn(namespace, 'eth0', name);
    if (address !== '') ip(namespace, `addr add ${address} dev eth0`);
    await until(`the port of ${name} is open`, () =>
      ip(this.lan, `-d link show ${name}`).includes('state forwarding'),
    );
    return namespace;
  }

  /** A server on the switch, ready to answer. */
  async serve(...options: readonly string[]): Promise<Dnsmasq> {
    return await this.serveFrom(this.lan, 'br0', ...options);
  }

  async serveFrom(namespace: Netns, link: string, ...options: readonly string[]): Promise<Dnsmasq> {
    await until('the port of the container is open', () =>
      ip(this.lan, '-d link show port0').includes('state forwarding'),
    );
    const server = this.#resources.use(
      new Dnsmasq(
        namespace,
        `--interface=${link}`,
        '--bind-dynamic',
        '--dhcp-authoritative',
        '--dhcp-sequential-ip',
        ...options,
      ),
    );
    await server.started();
    return server;
  }

  own<T extends Disposable>(resource: T): T {
    return this.#resources.use(resource);
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}
