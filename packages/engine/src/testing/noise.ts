import http from 'node:http';
import type { Site } from './site.ts';

/** Lets the engine emit so many events as fast as it can: each exec that is created, and never started, is one. */
export async function makeEvents(site: Site, container: string, count: number): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const body = JSON.stringify({ Cmd: ['true'] });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const path = `/v1.41/containers/${container}/exec`;
      http
        .request({ socketPath: site.host.socketPath, method: 'POST', path, agent, headers }, (response) => {
          const { statusCode = 0 } = response;
          response.resume();
          response.on('end', () => {
            if (statusCode === 201) resolve();
            else reject(new Error(`an exec for noise came to ${statusCode}`));
          });
        })
        .on('error', reject)
        .end(body);
    });
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  agent.destroy();
}
