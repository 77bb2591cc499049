/**
 * `anchord health`: asks the process beside us whether it is ready. For HEALTHCHECK. Through its status socket, because the
 * port of the listener may belong to another program of the namespace; where there is no socket, through the listener.
 */
import { nodeHttp, parseHostPort, systemClock } from '@berth/service';
import { configOf, type Environment, readEnvironment, schema } from '@berth/service/config';
import { metricsAddressField } from '../config/common.ts';
import { problemLine } from '../problems.ts';
import { askStatus, ownMounts, readinessLines } from '../status/index.ts';

const healthSchema = schema({
  title: 'health',
  about: 'Where the listener is.',
  fields: { metricsAddress: metricsAddressField },
});

const patienceMs = 3_000;
/** What a listener on every interface is reached by. */
const loopback: Readonly<Record<string, string>> = { '': '127.0.0.1', '0.0.0.0': '127.0.0.1', '::': '::1' };

/** 0: ready, or nobody answers because that was asked for. 1: not ready, or no answer. */
export async function health(
  env: Environment,
  say: (line: string) => void,
  { timeoutMs = patienceMs, socket }: { readonly timeoutMs?: number; readonly socket?: string } = {},
): Promise<number> {
  const status = await askStatus(systemClock, socket);
  if (typeof status !== 'string' && status.mounts === ownMounts()) {
    for (const line of readinessLines(Object.entries(status.gates), status.problems.map(problemLine)))
      say(line);
    return status.ready ? 0 : 1;
  }
  const [{ metricsAddress }] = configOf(readEnvironment(healthSchema, env));
  if (metricsAddress === null) {
    say('the listener is switched off (ANCHORD_METRICS_ADDR="")');
    return 0;
  }
  const parsed = parseHostPort(metricsAddress);
  if (typeof parsed === 'string') {
    say(parsed);
    return 1;
  }
  const host = loopback[parsed.host] ?? parsed.host;
  try {
    const { status, body } = await ask({ host, port: parsed.port }, timeoutMs);
    say(body.trimEnd());
    return status === 200 ? 0 : 1;
  } catch (error) {
    say(`no answer from ${metricsAddress}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function ask(at: { readonly host: string; readonly port: number }, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = nodeHttp().get(
      { ...at, path: '/readyz', agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
  });
}
