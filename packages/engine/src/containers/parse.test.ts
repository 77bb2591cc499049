import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fields } from '../http/index.ts';
import { parseDetails, parseSummary } from './parse.ts';

const inspected = {
  Id: 'a'.repeat(64),
  Created: '2026-01-01T00:00:00Z',
  Name: '/web',
  Image: 'sha256:1',
  RestartCount: 2,
  State: {
    Status: 'running',
    Running: true,
    Pid: 7,
    ExitCode: 0,
    StartedAt: '2026-01-01T00:00:01Z',
    FinishedAt: '0001-01-01T00:00:00Z',
    Health: { Status: 'healthy' },
  },
  Config: { Image: 'shop/web', Labels: { a: 'b' }, Tty: true, Env: null },
  HostConfig: { NetworkMode: 'lan', Binds: null },
  Mounts: [{ Type: 'volume', Name: 'v', Source: '/v', Destination: '/data', RW: true }],
  NetworkSettings: {
    Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '53/udp': null },
    Networks: {
      lan: {
        NetworkID: 'n',
        EndpointID: '',
        IPAddress: '10.0.0.2',
        GlobalIPv6Address: '',
        Aliases: ['web'],
        IPAMConfig: { IPv4Address: '10.0.0.2' },
        DriverOpts: null,
      },
    },
  },
};
const listed = {
  Id: 'a'.repeat(64),
  Names: ['/db/alias', '/web'],
  Image: 'shop/web',
  ImageID: 'sha256:1',
  Created: 1,
  State: 'running',
  Status: 'Up',
  Labels: null,
  HostConfig: { NetworkMode: 'lan' },
  NetworkSettings: { Networks: { lan: { IPAddress: '10.0.0.2' } } },
};

describe('what the engine tells of a container', () => {
  it('is read with what is absent left open', () => {
    expect(parseDetails(inspected)).toMatchObject({
      name: 'web',
      tty: true,
      state: { startedAt: '2026-01-01T00:00:01Z', finishedAt: undefined, health: 'healthy', paused: false },
      attachments: {
        lan: {
          ipv4: '10.0.0.2',
          ipv6: undefined,
          endpointId: undefined,
          fixedIpv4: '10.0.0.2',
          driverOptions: {},
        },
      },
      mounts: [{ name: 'v', target: '/data' }],
      ports: [{ containerPort: '80/tcp', hostIp: '0.0.0.0', hostPort: 8080 }],
    });
    expect(parseSummary(new Fields(listed, 'it'))).toMatchObject({ names: ['web', 'db/alias'], labels: {} });
  });

  it('may have a status that we have never heard of', () => {
    expect(parseSummary(new Fields({ ...listed, State: 'dreaming' }, 'it')).status).toBe('unknown');
  });

  it('is read or refused with our own error, whatever is wrong with it', () => {
    /** Every place in the value, as the keys that lead there. */
    const places = (value: unknown, path: string[] = []): string[][] =>
      typeof value === 'object' && value !== null
        ? [path, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))]
        : [path];
    const replaced = (value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown => {
      if (key === undefined) return by;
      const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) };
      copy[key] = replaced(copy[key], rest, by);
      return Array.isArray(value) ? Object.values(copy) : copy;
    };
    const read = [
      [inspected, parseDetails],
      [listed, (value: unknown) => parseSummary(new Fields(value, 'it'))],
    ] as const;
    for (const [sample, parse] of read)
      fc.assert(
        fc.property(
          fc.constantFrom(...places(sample)),
          fc.oneof(fc.constant(undefined), fc.jsonValue()),
          (path, by) => {
            try {
              parse(replaced(sample, path, by));
            } catch (error) {
              expect(error).toMatchObject({ code: 'ENGINE_ANSWER' });
            }
          },
        ),
        { numRuns: 500 },
      );
  });
});
