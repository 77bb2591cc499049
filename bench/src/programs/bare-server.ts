/**
 * The least that a server of signed reads is: bare `node:http`, the signature, and a text that is there already. BENCH_SECRET is the
 * key, BENCH_BODIES the folder with the texts.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const { BENCH_SECRET: secret = '', BENCH_BODIES: folder = '' } = process.env;
const bodies = new Map(
  ['one', 'page', 'open'].map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const),
);

function isSigned(method: string, target: string, value: string): boolean {
  const [, seconds = '', hex = ''] = /^t=(\d+),sha256=([0-9a-f]{64})$/.exec(value) ?? [];
  const fields = [seconds, method, target, createHash('sha256').digest('hex')];
  const hmac = createHmac('sha256', secret).update(fields.join('\n')).digest();
  return hex !== '' && timingSafeEqual(hmac, Buffer.from(hex, 'hex'));
}

const server = createServer((request, response) => {
  const { method = '', url = '', headers } = request;
  const name = url === '/stats' ? 'open' : url.includes('?') ? 'page' : 'one';
  const signature = headers['x-fred-signature'];
  if (name !== 'open' && !isSigned(method, url, String(signature))) {
    response.writeHead(401).end();
    return;
  }
  const body = bodies.get(name) ?? '';
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
});

// Whoever started us is gone when our input ends.
process.stdin.on('end', () => process.exit(0)).resume();
server.listen(0, '127.0.0.1', () => process.stdout.write(`ready ${JSON.stringify(server.address())}\n`));
