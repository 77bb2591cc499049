import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  familiarImageReference,
  formatImageReference,
  type ImageReference,
  parseImageReference,
} from './image-reference.ts';

const hex64 = 'ab'.repeat(32);

describe('an image reference', () => {
  it.each([
    ['nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['nginx:1.25-alpine', 'docker.io', 'library/nginx', '1.25-alpine', undefined],
    ['library/nginx:latest', 'docker.io', 'library/nginx', 'latest', undefined],
    ['myorg/myapp:v1', 'docker.io', 'myorg/myapp', 'v1', undefined],
    ['docker.io/nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['index.docker.io/nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['ghcr.io/org/app:latest', 'ghcr.io', 'org/app', 'latest', undefined],
    ['registry.example.com:5000/image', 'registry.example.com:5000', 'image', undefined, undefined],
    ['localhost/image', 'localhost', 'image', undefined, undefined],
    ['localhost:5000/image:5000', 'localhost:5000', 'image', '5000', undefined],
    ['[fd99::1]:5000/image', '[fd99::1]:5000', 'image', undefined, undefined],
    ['MyHost/image', 'MyHost', 'image', undefined, undefined],
    ['a__b/c--d.e:X_y', 'docker.io', 'a__b/c--d.e', 'X_y', undefined],
    [`nginx@sha256:${hex64}`, 'docker.io', 'library/nginx', undefined, `sha256:${hex64}`],
    [`nginx:1@sha256:${hex64}`, 'docker.io', 'library/nginx', '1', `sha256:${hex64}`],
    [`a/b@sha512:${hex64}${hex64}`, 'docker.io', 'a/b', undefined, `sha512:${hex64}${hex64}`],
    [`${hex64}:1`, 'docker.io', `library/${hex64}`, '1', undefined],
  ])('reads %s', (text, registry, path, tag, digest) => {
    expect(parseImageReference(text)).toEqual({ registry, path, tag, digest });
  });

  it.each([
    '',
    ':latest',
    '/image',
    'image/',
    'a//b',
    'nginx:',
    'nginx@',
    `nginx@sha256:${hex64.slice(1)}`,
    `nginx@sha256:${hex64.toUpperCase()}`,
    `nginx@md5:${hex64.slice(32)}`,
    `nginx@toString:${hex64}`,
    `nginx@sha256:${hex64}@sha256:${hex64}`,
    'Nginx',
    'myorg/MyApp',
    'a..b',
    'a___b',
    '-a',
    'a-',
    'a_',
    'a/b:.tag',
    'a/b:-tag',
    `a:${'t'.repeat(129)}`,
    `${'p/'.repeat(128)}p`,
    '-host.io/image',
    'host-.io/image',
    'host.io:port/image',
    'host.io:/image',
    '[not:hex]/image',
    'ex ample/image',
    'nginx\n',
    ' nginx',
    hex64,
    'https://ghcr.io/org/app',
  ])('refuses "%s"', (text) => {
    expect(() => parseImageReference(text)).toThrow(
      expect.objectContaining({ code: 'ENGINE_REFERENCE_INVALID' }),
    );
  });

  it('is written as short as it can be', () => {
    for (const [long, short] of [
      ['docker.io/library/nginx:1', 'nginx:1'],
      ['docker.io/org/app', 'org/app'],
      ['docker.io/library/a/b', 'library/a/b'],
      ['ghcr.io/library/nginx', 'ghcr.io/library/nginx'],
      ['localhost:5000/x', 'localhost:5000/x'],
      ['docker.io/a.b/c', 'docker.io/a.b/c'],
      ['docker.io/library/a.b', 'a.b'],
      [`docker.io/library/${hex64}`, `library/${hex64}`],
    ] as const)
      expect(familiarImageReference(parseImageReference(long))).toBe(short);
  });

  const alphanumerics = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const component = fc
    .array(alphanumerics, { minLength: 1, maxLength: 3 })
    .chain((words) => fc.constantFrom('.', '_', '__', '-', '---').map((separator) => words.join(separator)));
  const host = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,5}[a-zA-Z0-9])?$/);
  const registry = fc.oneof(
    fc.constant('localhost'),
    fc.tuple(host, host).map((parts) => parts.join('.')),
    fc.tuple(host, fc.nat(65535)).map(([name, port]) => `${name}:${port}`),
  );
  const reference: fc.Arbitrary<ImageReference> = fc.record({
    registry: fc.oneof(fc.constant('docker.io'), registry),
    path: fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
    tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined }),
    digest: fc.option(
      fc.stringMatching(/^[a-f0-9]{64}$/).map((hex) => `sha256:${hex}`),
      { nil: undefined },
    ),
  });
  /** What a complete reference means when it is read: the Hub has no image outside a folder. */
  const asRead = (given: ImageReference): ImageReference =>
    given.registry === 'docker.io' && !given.path.includes('/')
      ? { ...given, path: `library/${given.path}` }
      : given;

  it('means the same after it was written out and read again, in full and in short', () => {
    fc.assert(
      fc.property(reference, (given) => {
        const meant = asRead(given);
        expect(parseImageReference(formatImageReference(given))).toEqual(meant);
        expect(parseImageReference(familiarImageReference(meant))).toEqual(meant);
      }),
    );
  });

  it('is read or refused with our own error, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9.:/@_[\]-]{0,40}$/)), (text) => {
        try {
          const read = parseImageReference(text);
          expect(parseImageReference(formatImageReference(read))).toEqual(read);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ENGINE_REFERENCE_INVALID' });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
