/** Sockets that live in a namespace of the lab, used from here as if they were our own. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket as UdpSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { labErrors } from '../errors.ts';
import { inNamespace } from '../network/namespace.ts';
import type { Answer, Order } from './protocol.ts';

const maker = join(import.meta.dirname, 'maker.ts');

type Request = Order extends infer One ? (One extends Order ? Omit<One, 'id'> : never) : never;
type Handle = Socket | Server | UdpSocket;

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  /** The source address, where the namespace has several. */
  readonly from?: string;
  readonly timeoutMs?: number;
}

export interface UdpBinding {
  readonly family: 4 | 6;
  readonly host?: string;
  readonly port?: number;
  readonly broadcast?: boolean;
}

export class NamespaceSockets implements AsyncDisposable {
  readonly namespace: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer, handle: Handle | undefined) => void>();
  #nextId = 1;
  #ended = false;

  constructor(namespace: string) {
    const [command, ...args] = inNamespace(namespace, [process.execPath, maker]);
    this.namespace = namespace;
    this.#child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: Answer, handle?: Handle) => {
      this.#waiting.get(answer.id)?.(answer, handle);
      this.#waiting.delete(answer.id);
    });
    this.#child.on('error', () => this.#end());
    this.#child.on('exit', () => this.#end());
  }

  /** A connection from inside the namespace; rejects with the system's reason if there is none. */
  async tcp({ timeoutMs = 3000, ...target }: TcpTarget): Promise<Socket> {
    return (await this.#order({ make: 'tcp', timeoutMs, ...target })) as Socket;
  }

  /** A listening socket inside the namespace; give it to a server's `listen`. */
  async tcpServer(host: string, port: number): Promise<Server> {
    return (await this.#order({ make: 'tcp-server', host, port })) as Server;
  }

  async udp({ family, host, port = 0, broadcast = false }: UdpBinding): Promise<UdpSocket> {
    const any = family === 4 ? '0.0.0.0' : '::';
    return (await this.#order({ make: 'udp', family, host: host ?? any, port, broadcast })) as UdpSocket;
  }

  #order(request: Request): Promise<Handle> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#endedError());
        return;
      }
      this.#waiting.set(id, ({ error, code }, handle) => {
        if (error === undefined && handle !== undefined) resolve(handle);
        else reject(Object.assign(new Error(`in ${this.namespace}: ${error ?? 'no socket came'}`), { code }));
      });
      this.#child.send({ id, ...request } satisfies Order);
    });
  }

  #endedError(): Error {
    return labErrors.error('TOOL_FAILED', `the socket maker in ${this.namespace} has ended`);
  }

  #end(): void {
    this.#ended = true;
    for (const answer of this.#waiting.values())
      answer({ id: 0, error: 'the socket maker has ended' }, undefined);
    this.#waiting.clear();
  }

  /** Ends the maker; sockets that it has handed out stay with whoever has them. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }
}
