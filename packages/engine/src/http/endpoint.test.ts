import { describe, expect, it } from 'vitest';
import { describeEndpoint, endpointFromEnvironment, parseEndpoint } from './endpoint.ts';

describe('the address of the engine', () => {
  it('is the usual socket where the environment says nothing', () => {
    for (const env of [{}, { DOCKER_HOST: '' }])
      expect(endpointFromEnvironment(env)).toEqual({ kind: 'unix', socketPath: '/var/run/docker.sock' });
  });

  it.each([
    ['unix:///run/d.sock', { kind: 'unix', socketPath: '/run/d.sock' }],
    ['tcp://10.0.0.1:2375', { kind: 'tcp', host: '10.0.0.1', port: 2375, basePath: '' }],
    ['tcp://proxy', { kind: 'tcp', host: 'proxy', port: 2375, basePath: '' }],
    ['tcp://proxy:80', { kind: 'tcp', host: 'proxy', port: 80, basePath: '' }],
    ['tcp://[fd99::1]:1/', { kind: 'tcp', host: 'fd99::1', port: 1, basePath: '' }],
    ['http://proxy:8080/docker/one/', { kind: 'tcp', host: 'proxy', port: 8080, basePath: '/docker/one' }],
  ])('reads %s', (host, endpoint) => {
    expect(endpointFromEnvironment({ DOCKER_HOST: host })).toEqual(endpoint);
  });

  it.each([
    ['/var/run/docker.sock', 'has no scheme'],
    ['unix://docker.sock', 'begins with a slash'],
    ['ssh://me@host', 'the scheme "ssh" is not supported'],
    ['npipe:////./pipe/docker', 'the scheme "npipe" is not supported'],
    ['tcp://', 'is not host'],
    ['tcp://host:99999', 'is not host'],
    ['tcp://me:secret@host:1', 'nothing else'],
    ['tcp://host:1/?a=b', 'nothing else'],
  ])('refuses %s and says why', (host, why) => {
    expect(() => parseEndpoint(host)).toThrow(why);
  });

  it('speaks TLS as soon as certificates are named, and checks the other side when told to', () => {
    const host = { DOCKER_HOST: 'tcp://engine' };
    expect(endpointFromEnvironment({ ...host, DOCKER_CERT_PATH: '/c' })).toMatchObject({
      port: 2376,
      tls: { folder: '/c', verify: false },
    });
    expect(
      endpointFromEnvironment({ ...host, DOCKER_CERT_PATH: '/c', DOCKER_TLS_VERIFY: '1' }),
    ).toMatchObject({ tls: { folder: '/c', verify: true } });
    expect(endpointFromEnvironment({ ...host, DOCKER_TLS_VERIFY: '1', HOME: '/home/me' })).toMatchObject({
      tls: { folder: '/home/me/.docker', verify: true },
    });
    expect(parseEndpoint('https://engine:443')).toMatchObject({
      port: 443,
      tls: { folder: '', verify: true },
    });
  });

  it('is printed as it could be written', () => {
    for (const host of ['unix:///run/d.sock', 'tcp://[fd99::1]:1/x', 'tcp://a:80'])
      expect(describeEndpoint(parseEndpoint(host))).toBe(host);
  });
});
