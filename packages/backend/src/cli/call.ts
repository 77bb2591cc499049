/** One signed request to a backend that runs, by the configuration that it runs with: for operators. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { nodeHttp, parseHostPort } from '@berth/service';
import type { Config } from '../config/index.ts';
import { sign, signatureHeader } from '../signature/index.ts';

export interface CallRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body: Uint8Array;
}

export interface CallReply {
  readonly status: number;
  readonly text: string;
}

const limitMs = 60_000;

type Settings = Pick<
  Config,
  'listenAddr' | 'callbackSecret' | 'tlsCertFile' | 'tlsKeyFile' | 'tlsClientCaFile'
>;

/** Where a listener of this address is reached from the same host. */
function loopback(listenAddr: string): { readonly host: string; readonly port: number } {
  const parsed = parseHostPort(listenAddr);
  if (typeof parsed === 'string') throw new Error(`listen_addr ${listenAddr}: ${parsed}`);
  const { host, port } = parsed;
  const everywhere: Readonly<Record<string, string>> = {
    '': '127.0.0.1',
    '0.0.0.0': '127.0.0.1',
    '::': '::1',
  };
  return { host: everywhere[host] ?? host, port };
}

/** The backend's own certificate is the one that is trusted, whatever names are in it; where it asks for one, it is shown its own. */
function tlsOf({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: Settings): RequestOptions {
  const cert = readFileSync(tlsCertFile);
  return {
    ca: cert,
    allowPartialTrustChain: true,
    checkServerIdentity: () => undefined,
    ...(tlsClientCaFile !== '' && { cert, key: readFileSync(tlsKeyFile) }),
  };
}

export async function callBackend(
  settings: Settings,
  request: CallRequest,
  nowMs: number,
): Promise<CallReply> {
  const { method, target, body } = request;
  const options: RequestOptions = {
    ...loopback(settings.listenAddr),
    method,
    path: target,
    agent: false,
    signal: AbortSignal.timeout(limitMs),
    headers: {
      [signatureHeader]: sign(settings.callbackSecret.reveal(), request, nowMs),
      ...(body.length > 0 && { 'Content-Type': 'application/json', 'Content-Length': body.length }),
    },
  };
  const secure = settings.tlsCertFile !== '';
  const send = secure ? (await import('node:https')).request : nodeHttp().request;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = send({ ...options, ...(secure && tlsOf(settings)) }, resolve);
    asked.on('error', reject);
    asked.end(body);
  });
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}
