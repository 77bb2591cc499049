import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExposedPort, parseExposeLabels } from './labels.ts';

const expose = (value: string, v6?: string) =>
  parseExposeLabels({ 'anchord.expose': value, ...(v6 === undefined ? {} : { 'anchord.expose.v6': v6 }) });

const ports = (value: string): readonly ExposedPort[] => {
  const parsed = expose(value);
  if (parsed.kind !== 'exposed') throw new Error(`not exposed: ${JSON.stringify(parsed)}`);
  return parsed.ports;
};

describe('anchord.expose', () => {
  it.each([undefined, '', '  ', '\t'])('is no backend without a value: %j', (value) => {
    expect(parseExposeLabels(value === undefined ? {} : { 'anchord.expose': value })).toEqual({
      kind: 'none',
    });
  });

  it('reads protocols in any case, spaces anywhere, leading zeros, and empty entries', () => {
    expect(ports(' TCP / 0025 , ,udp/53:5353,, Udp /\t5060 : 0060 ,')).toEqual([
      { protocol: 'tcp', externalPort: 25, backendPort: 25 },
      { protocol: 'udp', externalPort: 53, backendPort: 5353 },
      { protocol: 'udp', externalPort: 5060, backendPort: 60 },
    ]);
  });

  it.each([
    [',', 'anchord.expose set but empty'],
    [' , ,', 'anchord.expose set but empty'],
    ['25', 'anchord.expose "25": expected proto/port (e.g. tcp/25)'],
    ['tcp/25, smtp', 'anchord.expose "smtp": expected proto/port (e.g. tcp/25)'],
    ['sctp/25', 'anchord.expose "sctp/25": unsupported proto "sctp" (tcp|udp)'],
    ['/25', 'anchord.expose "/25": unsupported proto "" (tcp|udp)'],
    ['tcp/', 'anchord.expose "tcp/": invalid dmz port "": empty port'],
    ['tcp/:25', 'anchord.expose "tcp/:25": invalid dmz port "": empty port'],
    ['tcp/0', 'anchord.expose "tcp/0": invalid dmz port "0": port 0 is reserved'],
    ['tcp/65536', 'anchord.expose "tcp/65536": invalid dmz port "65536": not a 16-bit integer'],
    ['tcp/+25', 'anchord.expose "tcp/+25": invalid dmz port "+25": not a 16-bit integer'],
    ['tcp/-25', 'anchord.expose "tcp/-25": invalid dmz port "-25": not a 16-bit integer'],
    ['tcp/0x19', 'anchord.expose "tcp/0x19": invalid dmz port "0x19": not a 16-bit integer'],
    ['tcp/20-30', 'anchord.expose "tcp/20-30": invalid dmz port "20-30": not a 16-bit integer'],
    ['tcp/smtp', 'anchord.expose "tcp/smtp": invalid dmz port "smtp": not a 16-bit integer'],
    ['tcp/636:', 'anchord.expose "tcp/636:": invalid backend port "": empty port'],
    ['tcp/636:0', 'anchord.expose "tcp/636:0": invalid backend port "0": port 0 is reserved'],
    ['tcp/1:2:3', 'anchord.expose "tcp/1:2:3": invalid backend port "2:3": not a 16-bit integer'],
  ])('refuses %j', (value, error) => {
    expect(expose(value)).toEqual({ kind: 'invalid', error });
  });

  it('takes an identical entry twice for one', () => {
    expect(expose('tcp/25,tcp/25:25')).toEqual({
      kind: 'exposed',
      ports: [{ protocol: 'tcp', externalPort: 25, backendPort: 25 }],
      mirrorToIpv6: true,
      contradictions: [],
    });
  });

  it('lets the later of two contradictory entries win and names the port', () => {
    expect(expose('tcp/25:1,udp/25,tcp/25:2')).toMatchObject({
      ports: [
        { protocol: 'tcp', externalPort: 25, backendPort: 2 },
        { protocol: 'udp', externalPort: 25, backendPort: 25 },
      ],
      contradictions: ['tcp/25'],
    });
  });

  it('reads back every list of ports that can be written, however it is spaced', () => {
    const port = fc.integer({ min: 1, max: 65535 });
    const space = fc.stringMatching(/^[ \t]{0,2}$/);
    const entry = fc.record({
      protocol: fc.constantFrom('tcp' as const, 'udp' as const),
      externalPort: port,
      backendPort: fc.option(port, { nil: undefined }),
      upper: fc.boolean(),
      spaces: fc.array(space, { minLength: 6, maxLength: 6 }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(entry, { minLength: 1, selector: (e) => `${e.protocol}/${e.externalPort}` }),
        (entries) => {
          const text = entries
            .map(({ protocol, externalPort, backendPort, upper, spaces: [a, b, c, d, e, f] }) => {
              const name = upper ? protocol.toUpperCase() : protocol;
              const behind = backendPort === undefined ? '' : `:${d}${backendPort}${e}`;
              return `${a}${name}${b}/${c}${externalPort}${f}${behind}`;
            })
            .join(',');
          expect(ports(text)).toEqual(
            entries.map(({ protocol, externalPort, backendPort = externalPort }) => ({
              protocol,
              externalPort,
              backendPort,
            })),
          );
        },
      ),
    );
  });

  it('answers any text with ports in range or with an error that begins with the label', () => {
    const alphabet = fc.constantFrom(...'tcpudTCPUD/:,0123456789 -+x"\n');
    fc.assert(
      fc.property(fc.string({ unit: fc.oneof(alphabet, fc.string({ maxLength: 1 })) }), (text) => {
        const parsed = expose(text);
        if (parsed.kind === 'invalid') expect(parsed.error).toMatch(/^anchord\.expose /);
        if (parsed.kind === 'exposed') {
          expect(parsed.ports.length).toBeGreaterThan(0);
          for (const port of parsed.ports) {
            for (const number of [port.externalPort, port.backendPort]) {
              expect(number).toBeGreaterThanOrEqual(1);
              expect(number).toBeLessThanOrEqual(65535);
            }
          }
        }
      }),
    );
  });

  it('quotes no more of a label than somebody reads', () => {
    const huge = parseExposeLabels({ 'anchord.expose': `tcp/${'x'.repeat(1_000_000)}` });
    expect(huge).toMatchObject({ kind: 'invalid' });
    expect(JSON.stringify(huge).length).toBeLessThan(400);
    const ports = Array.from({ length: 60_000 }, (_, port) => `tcp/${port + 1}:1,tcp/${port + 1}:2`);
    const many = parseExposeLabels({ 'anchord.expose': ports.join(',') });
    expect(many.kind === 'exposed' && [many.ports.length, many.contradictions.length]).toEqual([60_000, 20]);
  });
});

describe('anchord.expose.v6', () => {
  it.each([undefined, '', ' auto ', 'AUTO'])('mirrors with %j', (v6) => {
    expect(expose('tcp/25', v6)).toMatchObject({ mirrorToIpv6: true });
  });

  it.each(['off', ' OFF ', 'false', 'No', '0'])('does not mirror with %j', (v6) => {
    expect(expose('tcp/25', v6)).toMatchObject({ mirrorToIpv6: false });
  });

  it.each(['on', 'yes', 'true', '1', 'x'])('refuses %j', (v6) => {
    expect(expose('tcp/25', v6)).toEqual({
      kind: 'invalid',
      error: 'anchord.expose.v6 must be auto|off',
    });
  });

  it('is not looked at when anchord.expose is missing or wrong', () => {
    expect(parseExposeLabels({ 'anchord.expose.v6': 'nonsense' })).toEqual({ kind: 'none' });
    expect(expose('tcp', 'nonsense')).toMatchObject({
      error: expect.stringContaining('expected proto/port'),
    });
  });
});
